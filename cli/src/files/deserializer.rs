//! From a tree to a Rust type; an error keeps the place that it is about.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::node::{Key, Kind, Node, Place};

/// What does not fit, and where.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// What is wrong.
    pub(crate) message: String,
    /// Where, unless nothing is known.
    pub(crate) place: Option<Place>,
}

/// Reads a value of type `T`. What means something else than it seems to is not read.
pub(crate) fn read<T: DeserializeOwned>(node: &Node) -> Result<T, Misfit> {
    match node.remark() {
        Some((remark, place)) => Err(Misfit::custom(remark).at(place)),
        None => T::deserialize(node),
    }
}

impl Misfit {
    /// The innermost place wins, since it is set first.
    fn at(self, place: Place) -> Self {
        Self {
            place: self.place.or(Some(place)),
            ..self
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            message: message.to_string(),
            place: None,
        }
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Number(number) => number.deserialize_any(visitor).map_err(Misfit::custom),
            Kind::Text(text) => visitor.visit_borrowed_str(text),
            Kind::List(items) => visitor.visit_seq(Items(items.iter())),
            Kind::Mapping(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                value: None,
            }),
        }
        .map_err(|misfit| misfit.at(self.place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.kind {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    /// The API server takes a null for an absent field, wherever a definition says what the fields are.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let Kind::Mapping(entries) = &self.kind else {
            return self.deserialize_any(visitor);
        };
        let fields = Fields(Entries {
            rest: entries.iter(),
            value: None,
        });
        visitor.visit_map(fields).map_err(|misfit| misfit.at(self.place))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let variant = match &self.kind {
            Kind::Text(text) => Variant {
                name: text,
                place: self.place,
                value: None,
            },
            Kind::Mapping(entries) => match entries.as_slice() {
                [(key, node)] => Variant {
                    name: &key.text,
                    place: key.place,
                    value: Some(node),
                },
                _ => {
                    return Err(
                        Misfit::custom(format!("expected one key of {}", variants.join(", "))).at(self.place),
                    );
                }
            },
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => {
                return Err(Misfit::custom(format!("expected one of {}", variants.join(", "))).at(self.place));
            }
        };
        visitor
            .visit_enum(variant)
            .map_err(|misfit| misfit.at(self.place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Misfit> for &'de Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, (Key, Node)>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some((key, node)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(node);
        let text: StrDeserializer<'_, Misfit> = key.text.as_str().into_deserializer();
        seed.deserialize(text)
            .map(Some)
            .map_err(|misfit| misfit.at(key.place))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let node = self
            .value
            .take()
            .ok_or_else(|| Misfit::custom("a value was read before its key"))?;
        seed.deserialize(node)
    }
}

/// The fields of a struct that say something.
struct Fields<'de>(Entries<'de>);

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        while let [(_, node), ..] = self.0.rest.as_slice()
            && matches!(node.kind, Kind::Null)
        {
            self.0.rest.next();
        }
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        self.0.next_value_seed(seed)
    }
}

struct Variant<'de> {
    name: &'de str,
    place: Place,
    value: Option<&'de Node>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let name: StrDeserializer<'_, Misfit> = self.name.into_deserializer();
        let value = seed.deserialize(name).map_err(|misfit| misfit.at(self.place))?;
        Ok((value, self))
    }
}

impl<'de> Variant<'de> {
    fn content(&self) -> Result<&'de Node, Misfit> {
        self.value
            .ok_or_else(|| Misfit::custom(format!("{} needs a value", self.name)).at(self.place))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(Misfit::invalid_type(Unexpected::Map, &"a word").at(self.place)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.content()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.content()?.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Pod {
        name: String,
        replicas: Option<u8>,
        #[serde(default)]
        mode: Mode,
        #[serde(default)]
        extra: serde_json::Value,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    enum Mode {
        #[default]
        Plain,
        Named {
            name: String,
        },
    }

    fn parsed(text: &str) -> Result<Pod, (String, String)> {
        let nodes = crate::files::parse("t", text).unwrap();
        read(&nodes[0]).map_err(|misfit| {
            let place = misfit.place.unwrap();
            (misfit.message, text[place.range()].to_owned())
        })
    }

    #[test]
    fn what_fits_is_read() {
        let pod =
            parsed("name: a\nreplicas: 3\nmode: {named: {name: x}}\nextra: {a: [1, null, 1.5]}\n").unwrap();
        assert_eq!(pod.replicas, Some(3));
        assert_eq!(pod.mode, Mode::Named { name: "x".to_owned() });
        assert_eq!(pod.extra, serde_json::json!({"a": [1, null, 1.5]}));
        assert_eq!(
            parsed("name: a\nreplicas: null\nmode: plain").unwrap().replicas,
            None
        );
    }

    #[test]
    fn a_null_is_an_absent_field() {
        assert_eq!(
            parsed("name: a\nmode: null\nnothing: null\n").unwrap().mode,
            Mode::Plain
        );
        let (message, _) = parsed("name: null\n").unwrap_err();
        assert!(message.starts_with("missing field `name`"), "{message}");
    }

    #[rstest]
    #[case::unknown_field("name: a\nreplicaz: 3\n", "unknown field `replicaz`", "replicaz")]
    #[case::out_of_range("name: a\nreplicas: 300\n", "invalid value: integer `300`", "300")]
    #[case::wrong_type("name: a\nreplicas: many\n", "invalid type: string \"many\"", "many")]
    #[case::missing("replicas: 1\n", "missing field `name`", "replicas")]
    #[case::unknown_variant("name: a\nmode: other\n", "unknown variant `other`", "other")]
    #[case::variant_without_value("name: a\nmode: named\n", "named needs a value", "named")]
    #[case::inside_a_variant("name: a\nmode: {named: {nam: x}}\n", "unknown field `nam`", "nam")]
    #[case::number_as_text("name: 5\n", "invalid type: integer `5`", "5")]
    fn what_does_not_fit_is_pointed_at(#[case] text: &str, #[case] message: &str, #[case] at: &str) {
        let (found, place) = parsed(text).unwrap_err();
        assert!(found.starts_with(message), "{found}");
        assert_eq!(place, at);
    }
}
