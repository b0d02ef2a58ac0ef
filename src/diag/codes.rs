//! The codes of all diagnostics. `docs/diagnostics.md` has a section for each, which a test checks.

use schemars::JsonSchema;
use serde::Serialize;

/// A stable code, in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(with = "String")]
pub struct Code(&'static str);

impl Code {
    /// The code's text.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self($text);)*
        }

        /// Every code that there is.
        pub const CODES: &[Code] = &[$(Code::$name),*];
    };
}

codes! {
    /// The command line is wrong in a way that clap does not see.
    USAGE = "usage";
    /// A file cannot be read or written.
    FILE_ACCESS = "file-access";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
