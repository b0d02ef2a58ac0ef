//! The reference of the spec language, `docs/spec.md`, written from its schema.

/// The reference as Markdown.
pub fn reference() -> String {
    String::new()
}
