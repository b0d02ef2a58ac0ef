//! Errors in a `.reg` file, with line and column.

/// An error in a `.reg` file, with its line and column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: expected {expected}, found {found}")]
pub struct RegError {
    /// The kind of the error, which determines the stable code and the hint.
    pub kind: RegErrorKind,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1, in characters. In an unknown code page, each byte outside ASCII counts as a
    /// character.
    pub column: usize,
    /// A description of what was expected at this line and column.
    pub expected: String,
    /// A description of what was found at this line and column, for example the text in backticks.
    pub found: String,
}

impl RegError {
    /// Returns the stable code of the error, in kebab-case.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Returns a hint: what the user can do about the error.
    pub fn hint(&self) -> &'static str {
        self.kind.hint()
    }
}

/// The kinds of [`RegError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegErrorKind {
    /// The file is larger than the largest file that kbfix reads.
    TooLarge,
    /// The first line is not the header of a version 4 or version 5 file.
    Header,
    /// The file is a hive, not a `.reg` file.
    Hive,
    /// A key, a value name or a string contains bytes outside ASCII, but no code page was given.
    CodePage,
    /// A section's header has no closing bracket, or the text between its brackets is not a valid key.
    Key,
    /// A value is before the first section, or below a section that was skipped because its key is not valid.
    OutsideKey,
    /// A line is neither a section's header, a value, a comment nor empty; or there is no `=` after a value name; or
    /// other text follows the data.
    Syntax,
    /// A backslash in a quoted string does not begin a known escape.
    Escape,
    /// The data of a value has none of the known forms.
    Data,
    /// The file ends inside a string or a continued line, or, in UTF-16, in the middle of a character.
    Unfinished,
}

impl RegErrorKind {
    /// All kinds of errors.
    pub const ALL: [Self; 10] = [
        Self::TooLarge,
        Self::Header,
        Self::Hive,
        Self::CodePage,
        Self::Key,
        Self::OutsideKey,
        Self::Syntax,
        Self::Escape,
        Self::Data,
        Self::Unfinished,
    ];

    /// Returns whether regedit skips a line with an error of this kind and continues.
    pub fn is_skipped(self) -> bool {
        !matches!(self, Self::TooLarge | Self::Header | Self::Hive | Self::CodePage)
    }

    /// Returns the stable code of this kind of error, in kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "reg-too-large",
            Self::Header => "reg-header",
            Self::Hive => "reg-hive",
            Self::CodePage => "reg-code-page",
            Self::Key => "reg-key",
            Self::OutsideKey => "reg-outside-key",
            Self::Syntax => "reg-syntax",
            Self::Escape => "reg-escape",
            Self::Data => "reg-data",
            Self::Unfinished => "reg-unfinished",
        }
    }

    /// Returns the hint for this kind of error: what the user can do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::TooLarge => "export only the keys that you need",
            Self::Header => "export again with `reg export KEY FILE`, or put the header on the first line",
            Self::Hive => {
                "for a hive file, use the target `hive:FILE=KEY`, for example --target 'hive:SOFTWARE=HKLM\\SOFTWARE'"
            }
            Self::CodePage => "give the ANSI code page of the machine that wrote the file, such as 1252 or 932",
            Self::Key => {
                "write the section as [HKEY_LOCAL_MACHINE\\Name\\…], or as [-HKEY_LOCAL_MACHINE\\Name\\…] to delete the key"
            }
            Self::OutsideKey => "put the value below the [key] that it belongs to",
            Self::Syntax => {
                "write the line as [key], \"name\"=data, @=data or a comment with `;`, without other text; or leave it empty"
            }
            Self::Escape => "write each backslash in a string twice, and a double quote as \\\"",
            Self::Data => {
                "write the data in one of these forms: \"text\", dword:00000001, hex:01,02, hex(7):61,00, or - to delete the value"
            }
            Self::Unfinished => {
                "end the string with a double quote, or continue the data; if the file is incomplete, export it again"
            }
        }
    }
}
