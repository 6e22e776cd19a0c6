//! JSON has no NaN and no infinity, and serde_json writes `null` for them: they are found before.

use std::fmt::Display;

use serde::de::value::Error;
use serde::ser::{self, Serialize, Serializer};

/// # Errors
/// For a number that is NaN or infinite, with the field that it is of.
pub(super) fn check(value: &impl Serialize) -> Result<(), Error> {
    value.serialize(Finite)
}

/// Walks over a value, and keeps nothing of it.
struct Finite;

fn finite(value: f64) -> Result<(), Error> {
    if value.is_finite() {
        return Ok(());
    }
    Err(ser::Error::custom(format!("must be finite, got {value}")))
}

fn in_field(name: impl Display, checked: Result<(), Error>) -> Result<(), Error> {
    checked.map_err(|error| ser::Error::custom(format!("{name}: {error}")))
}

/// Methods for values without numbers that could be wrong.
macro_rules! leaves {
    ($($method:ident($value:ty)),*) => {
        $(fn $method(self, _: $value) -> Result<(), Error> {
            Ok(())
        })*
    };
}

impl Serializer for Finite {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    leaves!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_i128(i128),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_u128(u128),
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
        serialize_unit_struct(&'static str)
    );

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        finite(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        finite(value)
    }

    fn serialize_none(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        in_field(name, value.serialize(self))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Error> {
        Ok(self)
    }
}

/// The parts of a value, one after the other.
macro_rules! parts {
    ($($part:ident: $method:ident),*) => {
        $(impl ser::$part for Finite {
            type Ok = ();
            type Error = Error;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
                value.serialize(Finite)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        })*
    };
}

parts!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

/// The fields of a value, each under its name.
macro_rules! fields {
    ($($fields:ident),*) => {
        $(impl ser::$fields for Finite {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                in_field(name, value.serialize(Finite))
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Finite {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Error> {
        key.serialize(Finite)
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Finite)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use std::collections::BTreeMap;

    #[derive(Serialize, Default)]
    struct Settings {
        share: Option<f64>,
        widths: Vec<(usize, f32)>,
        by_name: BTreeMap<String, f64>,
        kind: Kind,
        unit: (),
    }

    #[derive(Serialize, Default)]
    enum Kind {
        #[default]
        Unit,
        Newtype(f64),
        Tuple(u8, f32),
        Struct {
            rate: f64,
        },
    }

    #[test]
    fn every_number_is_looked_at_wherever_it_stands() {
        let good = || Settings {
            share: Some(f64::MAX),
            widths: vec![(3, -0.)],
            by_name: [("a".into(), 1e-320)].into(),
            ..Settings::default()
        };
        check(&good()).unwrap();
        check(&Settings::default()).unwrap();
        let wrong = |settings: Settings| check(&settings).unwrap_err().to_string();
        let share = Settings {
            share: Some(f64::NAN),
            ..good()
        };
        assert_eq!(wrong(share), "share: must be finite, got NaN");
        let widths = vec![(1, 0.), (2, f32::NEG_INFINITY)];
        let widths = Settings { widths, ..good() };
        assert_eq!(wrong(widths), "widths: must be finite, got -inf");
        let by_name = [("a".into(), f64::INFINITY)].into();
        let by_name = Settings { by_name, ..good() };
        assert_eq!(wrong(by_name), "by_name: must be finite, got inf");
        let kinds = [
            (Kind::Newtype(f64::NAN), "Newtype: "),
            (Kind::Tuple(0, f32::NAN), ""),
            (Kind::Struct { rate: f64::NAN }, "rate: "),
        ];
        for (kind, place) in kinds {
            let settings = Settings { kind, ..good() };
            assert_eq!(
                wrong(settings),
                format!("kind: {place}must be finite, got NaN")
            );
        }
    }
}
