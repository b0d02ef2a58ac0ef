//! `docs/specs.md`.
