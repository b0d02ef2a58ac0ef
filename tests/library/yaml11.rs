//! YAML 1.1.
