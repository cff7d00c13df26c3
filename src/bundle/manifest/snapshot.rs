//! `snapshot` of `vitrine.json`: `true`, `false`, or `{"harmless": […]}`.

use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use vitrine_wire::ModuleScopeRead;

/// Whether the app's isolates start from a snapshot of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotWish {
    /// Whether they should.
    pub wanted: bool,
    /// What the app may look at while it is evaluated, though every isolate then has the same value.
    pub harmless: Vec<ModuleScopeRead>,
}

impl Default for SnapshotWish {
    fn default() -> Self {
        Self { wanted: true, harmless: Vec::new() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Detailed {
    harmless: Vec<ModuleScopeRead>,
}

impl Serialize for SnapshotWish {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.harmless.is_empty() {
            return self.wanted.serialize(serializer);
        }
        Detailed { harmless: self.harmless.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SnapshotWish {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Shapes)
    }
}

struct Shapes;

impl<'de> Visitor<'de> for Shapes {
    type Value = SnapshotWish;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`snapshot` as true, false or {\"harmless\": [\"clock\", \"env\", \"randomness\"]}")
    }

    fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<SnapshotWish, E> {
        Ok(SnapshotWish { wanted, harmless: Vec::new() })
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<SnapshotWish, A::Error> {
        let Detailed { harmless } = Detailed::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(SnapshotWish { wanted: true, harmless })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_read_and_written_back() {
        for (text, wanted, harmless) in [
            ("true", true, vec![]),
            ("false", false, vec![]),
            (r#"{"harmless":["clock","env"]}"#, true, vec![ModuleScopeRead::Clock, ModuleScopeRead::Env]),
        ] {
            let wish: SnapshotWish = serde_json::from_str(text).unwrap();
            assert_eq!(wish, SnapshotWish { wanted, harmless });
            assert_eq!(serde_json::to_string(&wish).unwrap(), text);
        }
    }

    #[test]
    fn mistakes_say_what_can_be_written() {
        let refusal = |text| serde_json::from_str::<SnapshotWish>(text).unwrap_err().to_string();
        assert!(refusal("1").contains("true, false or {\"harmless\""));
        assert!(refusal(r#"{"harmles":[]}"#).contains("unknown field `harmles`"));
        assert!(refusal(r#"{"harmless":["time"]}"#).contains("unknown variant `time`"));
    }
}
