//! Registry data in JSON documents: the type, the bytes in hex digits, and a readable text.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Value, json};

use super::{Data, ValueType, notation};

/// A value's type and bytes.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DataDocument {
    /// The registry type: `REG_DWORD` and other names, or `REG_0x99` for a number without a name.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    value_type: ValueType,
    /// The bytes as stored, in hex digits.
    bytes: String,
    /// The type and bytes in `.reg` notation, for people.
    text: String,
}

impl JsonSchema for Data {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Data".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = DataDocument::json_schema(generator);
        // A report has `hidden` instead of `bytes` if the data is sensitive.
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            let hidden = "Only in a report or in the output of `kbfix journal show`: the data is sensitive, `bytes` is missing, \
                          and `text` does not show it.";
            properties.insert("hidden".to_owned(), json!({ "const": true, "description": hidden }));
        }
        schema.insert("required".to_owned(), json!(["type", "text"]));
        schema.insert("oneOf".to_owned(), json!([{ "required": ["bytes"] }, { "required": ["hidden"] }]));
        schema
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = notation::hex_digits(&self.bytes);
        DataDocument { value_type: self.value_type, bytes, text: notation::data(self) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = DataDocument::deserialize(deserializer)?;
        let bytes = notation::parse_hex_digits(&document.bytes)
            .ok_or_else(|| D::Error::custom(format!("`{}` is not bytes in hex digits", document.bytes)))?;
        let data = Self { value_type: document.value_type, bytes };
        if notation::data(&data) != document.text {
            return Err(D::Error::custom(format!(
                "`text` is `{}`, which does not match `type` and `bytes`",
                document.text
            )));
        }
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_round_trips_and_a_text_that_lies_is_refused() {
        let data = Data::new(ValueType::DWORD, [1, 0, 0]);
        let json = serde_json::to_string(&data).unwrap();
        assert_eq!(json, r#"{"type":"REG_DWORD","bytes":"010000","text":"hex(4):01,00,00"}"#);
        assert_eq!(serde_json::from_str::<Data>(&json).unwrap(), data);
        let lie = json.replace("01,00,00", "02,00,00");
        assert!(serde_json::from_str::<Data>(&lie).is_err());
    }
}
