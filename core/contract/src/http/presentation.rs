//! How a credential is shown to a server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// How a credential is put into a request.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Presentation {
    /// As `Authorization: Bearer <field>`.
    Bearer(Bearer),
    /// In a header of its own.
    Header(HeaderPresentation),
    /// As `Authorization: Basic`, from a user name and a password.
    Basic(Basic),
    /// As a query parameter.
    Query(Query),
}

/// `Authorization: Bearer`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bearer {
    /// The credential's field that is the token.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub field: String,
}

/// A header of its own.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeaderPresentation {
    /// The header's name.
    #[schemars(length(min = 1, max = 128), regex(pattern = schema::HEADER))]
    pub name: String,
    /// The credential's field that is the value.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub field: String,
    /// What stands before the value, with its blank.
    #[serde(default)]
    #[schemars(length(max = 64), regex(pattern = schema::HEADER_VALUE))]
    pub prefix: String,
}

/// `Authorization: Basic`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basic {
    /// The credential's field that is the user name.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub username_field: String,
    /// The credential's field that is the password.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub password_field: String,
}

/// A query parameter.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Query {
    /// The parameter's name.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// The credential's field that is the value.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub field: String,
}

impl Presentation {
    /// The credential's fields that it shows, each with its place below `presentation`.
    pub fn fields(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Bearer(bearer) => vec![("bearer.field", bearer.field.as_str())],
            Self::Header(header) => vec![("header.field", header.field.as_str())],
            Self::Basic(basic) => vec![
                ("basic.usernameField", basic.username_field.as_str()),
                ("basic.passwordField", basic.password_field.as_str()),
            ],
            Self::Query(query) => vec![("query.field", query.field.as_str())],
        }
    }
}
