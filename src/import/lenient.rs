//! Values as their makers write them: a number as text, a text as a number, `null`, a list where an object belongs.
//!
//! For `#[serde(deserialize_with = …)]`. What cannot be taken for what is wanted counts as absent, and is never an error;
//! nothing is buffered on the way.

use super::har::Pair;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A text; a number or a truth value becomes one, of an object its `message`, anything else the empty text.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_any(Lenient::<String>(PhantomData))
}

/// A number, or a text that holds one.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let text = text(deserializer)?;
    Ok(text.trim().parse().ok().filter(|number: &f64| number.is_finite()))
}

/// An object.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(deserializer.deserialize_any(Lenient::<Object<T>>(PhantomData))?.0)
}

/// A list of names with values, or an object of them.
pub(super) fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Pair>, D::Error> {
    deserializer.deserialize_any(Lenient::<Vec<Pair>>(PhantomData))
}

/// What is made of whatever stands there.
trait Form<'de>: Default {
    /// Of a text, a number or a truth value.
    fn word(_: String) -> Self {
        Self::default()
    }

    /// Of a list.
    fn list<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    /// Of an object.
    fn members<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

impl<'de> Form<'de> for String {
    fn word(word: String) -> Self {
        word
    }

    fn members<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        #[derive(serde::Deserialize)]
        struct Words {
            #[serde(default, deserialize_with = "text")]
            message: String,
        }
        Ok(Words::deserialize(MapAccessDeserializer::new(map))?.message)
    }
}

#[derive(Default)]
struct Object<T>(T);

impl<'de, T: Deserialize<'de> + Default> Form<'de> for Object<T> {
    fn members<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Self)
    }
}

impl<'de> Form<'de> for Vec<Pair> {
    fn list<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        #[derive(serde::Deserialize)]
        struct Element(#[serde(deserialize_with = "object")] Pair);
        let mut pairs = Self::new();
        while let Some(Element(pair)) = seq.next_element()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }

    fn members<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        #[derive(serde::Deserialize)]
        struct Value(#[serde(deserialize_with = "text")] String);
        let mut pairs = Self::new();
        while let Some((name, Value(value))) = map.next_entry()? {
            pairs.push(Pair { name, value });
        }
        Ok(pairs)
    }
}

struct Lenient<T>(PhantomData<T>);

impl<'de, T: Form<'de>> Visitor<'de> for Lenient<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::word(text.to_owned()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<T, E> {
        Ok(T::word(truth.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(T::word(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(T::word(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok(T::word(number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        T::list(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::members(map)
    }
}

#[cfg(test)]
mod tests {
    use super::super::har::Entry;

    #[test]
    fn other_types_than_promised_are_taken_or_count_as_absent() {
        let entry: Entry = serde_json::from_str(
            r#"{"time":"50","connection":7,"timings":[],"request":{"method":"GET","url":"https://h/","headers":{"A":"1","B":2}},
                "response":{"status":"200","headers":[null,{"name":"C","value":null},"x"],"content":null}}"#,
        )
        .unwrap();
        assert_eq!((entry.time, entry.connection.as_str(), entry.status()), (Some(50.0), "7", Some(200)));
        let pairs = |pairs: &[super::Pair]| {
            pairs.iter().map(|pair| format!("{}={}", pair.name, pair.value)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(pairs(&entry.request.headers), "A=1 B=2");
        assert_eq!(pairs(&entry.response.headers), "= C= =");
        let odd: Entry = serde_json::from_str(r#"{"request":[1,{"a":[]}],"response":"none","timings":true}"#).unwrap();
        assert_eq!((odd.request.url.as_str(), odd.status()), ("", None));
    }
}
