//! Values of a record as they come: a text where a number was meant makes that value useless, not
//! the record.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value of any type.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Value<'a, M = IgnoredAny> {
    /// Absent, or of a type that says nothing here.
    #[default]
    Nothing,
    Text(&'a str),
    Number(f64),
    /// A map, or the first of a list.
    Inner(M),
}

/// A map of which nothing is known beforehand, not even that it is one.
pub(super) type Map<'a, M> = Value<'a, Value<'a, M>>;

impl<'a, M> Value<'a, M> {
    /// The text, if it is one that is not empty.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// The number, which may be written as a text.
    pub(super) fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Number(number) => Some(*number),
            _ => self.text()?.parse().ok(),
        };
        number.filter(|number| number.is_finite())
    }
}

impl<M> Map<'_, M> {
    /// The map, or the map that comes first in a list.
    pub(super) const fn map(&self) -> Option<&M> {
        match self {
            Self::Inner(Value::Inner(map)) => Some(map),
            _ => None,
        }
    }
}

impl<'de: 'a, 'a, M: Deserialize<'de>> Deserialize<'de> for Value<'a, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfAny(PhantomData))
    }
}

struct OfAny<M>(PhantomData<M>);

impl<'de, M: Deserialize<'de>> Visitor<'de> for OfAny<M> {
    type Value = Value<'de, M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_borrowed_bytes<E>(self, _: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Self::Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        M::deserialize(MapAccessDeserializer::new(map)).map(Value::Inner)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let first = list.next_element::<M>()?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.map_or(Value::Nothing, Value::Inner))
    }
}
