use super::{FittedDetector, INPUT};
use crate::data::Samples;
use crate::data::table::{Column as TableColumn, Kind, Schema, Table};
use crate::encoding::{Encoding, NewLevels};
use crate::estimator::warning::OF_FIT;
use crate::estimator::{Column, Input, IntoInput, Warning};
use crate::{Error, Result};

impl FittedDetector {
    /// How tables become numbers; `None` of a detector that was fitted on samples.
    pub fn encoding(&self) -> Option<&Encoding> {
        self.encoding.as_ref()
    }

    /// What a file is read by: the columns of the fit.
    ///
    /// # Errors
    /// [`Error::Config`] for a detector of columns without names.
    pub fn schema(&self) -> Result<Schema> {
        if let Some(encoding) = &self.encoding {
            return Ok(encoding.schema());
        }
        let names = self
            .inputs
            .as_ref()
            .map_or(&[][..], |inputs| inputs.names());
        if names.is_empty() {
            let rule = "a detector whose columns have names, to read a table by them";
            return Err(Error::config(
                "detector",
                rule,
                "one of columns without names",
            ));
        }
        Ok(Schema::new(names.iter().map(|name| (name, Kind::Number)))?)
    }

    /// What was given as numbers, and what there is to say of it.
    pub(super) fn numbers(&self, input: impl IntoInput) -> Result<(Samples, Vec<Warning>)> {
        let input = input.into_input()?;
        let Some(encoding) = &self.encoding else {
            let samples = match input {
                Input::Samples(samples) => samples,
                Input::Table(table) => self.samples_of(&table)?,
            };
            return Ok((samples, vec![]));
        };
        let mut warnings = vec![];
        let table = match input {
            Input::Table(table) => table,
            Input::Samples(samples) if samples.is_stored() => {
                let rule = "a table, for a detector of tables: `score_table` reads a file a piece at a time";
                let found = "samples that stay in a file";
                return Err(Error::config("what is scored", rule, found));
            }
            Input::Samples(samples) => {
                let names = encoding.names();
                warnings.extend(Warning::by_place(&samples, INPUT, &names, OF_FIT));
                table_of(&samples, encoding)?
            }
        };
        let (samples, new) = encoding.encode_rows(INPUT, &table)?;
        let warning = |NewLevels {
                           column,
                           level,
                           rows,
                       }: NewLevels| Warning::NewLevels {
            samples: INPUT.into(),
            column: Column::of_table(encoding, column),
            level,
            count: rows,
        };
        warnings.extend(new.into_iter().map(warning));
        Ok((samples, warnings))
    }

    /// A table for a detector of vectors: its columns of these names, which must be numbers.
    fn samples_of(&self, table: &Table) -> Result<Samples> {
        let schema = match self.schema() {
            Ok(schema) => schema,
            Err(_) => table.schema().clone(),
        };
        let columns = schema.features().map(|field| field.name.as_str());
        if columns.clone().any(|name| table.column(name).is_none()) {
            return Err(Error::columns(INPUT, columns, table.names().into_iter()));
        }
        let found: Vec<(&str, &TableColumn)> = columns
            .filter_map(|name| Some((name, table.column(name)?)))
            .collect();
        let numbers = found.iter().map(|(name, column)| match column {
            TableColumn::Numbers(values) => Ok(values),
            other => Err(Error::ColumnKind {
                column: name.to_string(),
                expected: Kind::Number,
                actual: other.kind(),
            }),
        });
        let numbers = numbers.collect::<Result<Vec<_>>>()?;
        let values = (0..table.len()).flat_map(|row| numbers.iter().map(move |column| column[row]));
        let (shape, names) = (
            (table.len(), found.len()),
            found.iter().map(|(name, _)| *name),
        );
        let tensor =
            candle_core::Tensor::from_vec(values.collect(), shape, &candle_core::Device::Cpu)?;
        Samples::from(tensor).with_names(&names.collect::<Vec<_>>())
    }
}

/// Samples for a detector of tables: by their names, or one behind the other, where all columns are numbers. NaN
/// is a gap.
fn table_of(samples: &Samples, encoding: &Encoding) -> Result<Table> {
    let schema = encoding.schema();
    if let Some(other) = schema.features().find(|field| field.kind != Kind::Number) {
        let rule = "a table (`Table` or `TableFile`), as in the fit";
        let found = format!(
            "numbers, while column {:?} is of kind {}",
            other.name, other.kind
        );
        return Err(Error::config("what is scored", rule, found));
    }
    let columns = encoding.columns();
    let (expected, actual) = (columns.len(), samples.sample_shape());
    let names: Vec<&str> = match samples.names() {
        [] => columns,
        names => names.iter().map(String::as_str).collect(),
    };
    if actual != [names.len()] {
        return Err(Error::Shape {
            what: INPUT,
            expected: format!("[{expected}] as the training samples"),
            actual,
        });
    }
    let tensor = samples.to_tensor()?.to_device(&candle_core::Device::Cpu)?;
    let rows = tensor
        .to_dtype(candle_core::DType::F64)?
        .t()?
        .to_vec2::<f64>()?;
    Ok(Table::new(
        names
            .into_iter()
            .zip(rows.into_iter().map(TableColumn::from)),
    )?)
}
