use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, new_empty_array};
use datafusion::arrow::compute::kernels::cmp::eq;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::batch::Reader;
use crate::model::Model;
use crate::output::Output;
use crate::reference::Reference;
use crate::{Error, Models, Result};

/// One of the functions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DetectorFunction {
    output: Output,
    models: Models,
    signature: Signature,
}

impl DetectorFunction {
    pub(crate) fn new(output: Output, models: Models) -> Self {
        Self {
            output,
            models,
            // Of a file that is named with its hash.
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// The model that a literal names.
    fn reference(&self, literal: Option<&ScalarValue>, found: &DataType) -> Result<Reference> {
        match literal.map(ScalarValue::try_as_str) {
            Some(Some(Some(text))) => Reference::parse(text),
            _ => Err(Error::NotLiteral {
                function: self.output.function(),
                actual: match literal {
                    Some(literal) => format!("{literal:?}"),
                    None => format!("an expression of type {found}"),
                },
            }),
        }
    }

    fn check_arguments(&self, arguments: usize) -> Result<()> {
        if arguments >= 2 {
            return Ok(());
        }
        Err(Error::Arguments {
            function: self.output.function(),
            arguments,
        })
    }

    /// What can be said of a call before there are values.
    fn check(&self, args: &ReturnFieldArgs) -> Result<()> {
        self.check_arguments(args.arg_fields.len())?;
        let types: Vec<&DataType> = args
            .arg_fields
            .iter()
            .map(|field| field.data_type())
            .collect();
        let reference = self.reference(args.scalar_arguments[0], types[0])?;
        if self.models.are_elsewhere() {
            return Ok(());
        }
        let model = self.models.of(&reference)?;
        if self.output == Output::Probability && model.detector().calibration().is_none() {
            let model = model.name().into();
            return Err(Error::NotCalibrated { model });
        }
        model.takes().check(model.name(), &types[1..])
    }

    fn invoke(&self, args: ScalarFunctionArgs) -> Result<ArrayRef> {
        self.check_arguments(args.args.len())?;
        let literal = constant(&args.args[0])?;
        let reference = self.reference(literal.as_ref(), &args.args[0].data_type())?;
        if reference.pinned().is_none() {
            let name = reference.name().into();
            return Err(Error::Unpinned { name });
        }
        let model = self.models.of(&reference)?;
        let rows = args.number_rows;
        let columns = args.args.into_iter().skip(1);
        let columns = columns.map(|column| column.into_array(rows));
        let columns: EngineResult<Vec<ArrayRef>> = columns.collect();
        self.score(&model, &columns.map_err(of_engine)?)
    }

    fn score(&self, model: &Model, columns: &[ArrayRef]) -> Result<ArrayRef> {
        // What is planned in one process may be run in another.
        let types: Vec<&DataType> = columns.iter().map(|column| column.data_type()).collect();
        model.takes().check(model.name(), &types)?;
        let lenient = self.output == Output::ScoreOrNull;
        let rows = Reader { model, lenient }.read(columns)?;
        let found = model.detector().detect(rows.input);
        let found = found.map_err(|source| Error::Detector {
            model: model.name().into(),
            source: Box::new(source),
        })?;
        model.tell(&found.warnings);
        self.output.of(found, rows.usable.as_ref(), model.name())
    }
}

impl ScalarUDFImpl for DetectorFunction {
    fn name(&self) -> &str {
        self.output.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Columns are taken in their own types: which these must be, the model says.
    fn coerce_types(&self, types: &[DataType]) -> EngineResult<Vec<DataType>> {
        self.check_arguments(types.len()).map_err(Error::planning)?;
        Ok(types.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> EngineResult<DataType> {
        Ok(self.output.data_type())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> EngineResult<FieldRef> {
        self.check(&args).map_err(Error::planning)?;
        Ok(Arc::new(Field::new(
            self.name(),
            self.output.data_type(),
            true,
        )))
    }

    /// Names the file that the model is now, so that no other one is scored with.
    fn simplify(
        &self,
        mut args: Vec<Expr>,
        _: &SimplifyContext,
    ) -> EngineResult<ExprSimplifyResult> {
        let Some(Expr::Literal(literal, _)) = args.first_mut() else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let reference = self.reference(Some(literal), &DataType::Null);
        let reference = reference.map_err(Error::planning)?;
        if reference.pinned().is_some() || self.models.are_elsewhere() {
            return Ok(ExprSimplifyResult::Original(args));
        }
        let model = self.models.of(&reference).map_err(Error::planning)?;
        *literal = text_like(literal, model.reference())?;
        let function = Arc::new(ScalarUDF::new_from_impl(self.clone()));
        let call = ScalarFunction::new_udf(function, args);
        Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(call)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        if args.number_rows == 0 {
            let empty = new_empty_array(args.return_type());
            return Ok(ColumnarValue::Array(empty));
        }
        Ok(ColumnarValue::Array(self.invoke(args)?))
    }
}

/// A text in the type of another.
fn text_like(other: &ScalarValue, text: String) -> EngineResult<ScalarValue> {
    ScalarValue::Utf8(Some(text)).cast_to(&other.data_type())
}

/// What all rows have. A literal is an array where it came over `datafusion-ffi`.
fn constant(argument: &ColumnarValue) -> Result<Option<ScalarValue>> {
    let array = match argument {
        ColumnarValue::Scalar(literal) => return Ok(Some(literal.clone())),
        ColumnarValue::Array(array) => array,
    };
    let first = ScalarValue::try_from_array(array, 0).map_err(of_engine)?;
    let same = eq(array, &first.to_scalar().map_err(of_engine)?)?;
    Ok((same.true_count() == array.len()).then_some(first))
}

fn of_engine(error: DataFusionError) -> Error {
    Error::Engine(Box::new(error))
}
