//! The codes of all diagnostics. `docs/reference/diagnostics.md` has a section for each, which a test checks.

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
    /// What `--out` names is read by the same command.
    OUT_IS_INPUT = "out-is-input";
    /// A spec that was named is no file, no folder and no built-in spec.
    SPEC_NOT_FOUND = "spec-not-found";
    /// No target is named.
    TARGET_MISSING = "target-missing";
    /// What is given as a target names none.
    TARGET_ADDRESS = "target-address";
    /// The target cannot be read.
    TARGET_UNREADABLE = "target-unreadable";
    /// The target's file is damaged, or not what it should be.
    TARGET_MALFORMED = "target-malformed";
    /// The target cannot do what is asked.
    TARGET_UNSUPPORTED = "target-unsupported";
    /// Another apply or rollback holds the target's lock.
    TARGET_LOCKED = "target-locked";
    /// The target's lock cannot be made, or something else stands in its place.
    TARGET_LOCK = "target-lock";
    /// A program that the target needs is not installed.
    TARGET_PROGRAM = "target-program";
    /// There are no credentials for the target, or none that can be used.
    TARGET_CREDENTIALS = "target-credentials";
    /// The other machine cannot be reached.
    TARGET_UNREACHABLE = "target-unreachable";
    /// The other machine does not let the account log on.
    TARGET_LOGON = "target-logon";
    /// The other machine denies the account all access.
    TARGET_DENIED = "target-denied";
    /// The other machine is silent.
    TARGET_SILENT = "target-silent";
    /// A file is no plan.
    PLAN_INVALID = "plan-invalid";
    /// The parts of a plan do not fit each other.
    PLAN_INCONSISTENT = "plan-inconsistent";
    /// A plan was altered after it was made.
    PLAN_ALTERED = "plan-altered";
    /// A plan is not the one that was approved.
    PLAN_DIGEST = "plan-digest";
    /// A plan or journal is of another machine.
    PLAN_OTHER_MACHINE = "plan-other-machine";
    /// A plan was made from another target.
    PLAN_OTHER_TARGET = "plan-other-target";
    /// What a plan rests on has moved.
    PLAN_STALE = "plan-stale";
    /// A `*` of a spec stands for so many keys that the operator has to say that they are meant.
    TOO_MANY_CHANGES = "too-many-changes";
    /// The target could not be written as the plan says.
    CANNOT_APPLY = "cannot-apply";
    /// The state folder or a journal cannot be read or written.
    JOURNAL_ACCESS = "journal-access";
    /// A journal is damaged.
    JOURNAL_MALFORMED = "journal-malformed";
    /// Somebody else could have written a journal or the state folder.
    JOURNAL_UNTRUSTED = "journal-untrusted";
    /// There is no journal to roll back.
    JOURNAL_MISSING = "journal-missing";
    /// A change could not be written.
    WRITE_FAILED = "write-failed";
    /// A rollback kept what somebody else changed.
    ROLLBACK_CONFLICT = "rollback-conflict";
    /// A registry file that is larger than kbfix reads.
    REG_TOO_LARGE = "reg-too-large";
    /// A registry file without the header of one.
    REG_HEADER = "reg-header";
    /// Bytes of a registry file whose code page is not known.
    REG_CODE_PAGE = "reg-code-page";
    /// A section of a registry file whose key is not a key.
    REG_KEY = "reg-key";
    /// A value of a registry file that belongs to no key.
    REG_OUTSIDE_KEY = "reg-outside-key";
    /// A line of a registry file that is none that such a file has.
    REG_SYNTAX = "reg-syntax";
    /// A backslash in a string of a registry file that has no meaning.
    REG_ESCAPE = "reg-escape";
    /// Data of a registry file that is of no known form.
    REG_DATA = "reg-data";
    /// A registry file that was cut off.
    REG_UNFINISHED = "reg-unfinished";
    /// A name or text of a registry file that cannot be read.
    IMPORT_UNREADABLE = "import-unreadable";
    /// A registry file has data that a spec cannot have.
    IMPORT_DATA = "import-data";
    /// A registry file has text that regedit ignores.
    IMPORT_IGNORED = "import-ignored";
    /// A string of a registry file has `\n` or `\r`, which are line breaks.
    IMPORT_LINE_BREAK = "import-line-break";
    /// A list of a registry file lacks the NUL at its end, which the spec writes.
    IMPORT_LIST_END = "import-list-end";
    /// A registry file is about the user who imports it, and the spec is about each user.
    IMPORT_EACH_USER = "import-each-user";
    /// A registry file names a numbered control set, and the spec the current one.
    IMPORT_CONTROL_SET = "import-control-set";
    /// A format that a spec is exported to cannot say what the spec says.
    EXPORT_LOSSY = "export-lossy";
    /// A package is given that no spec of the run can use, or is missing.
    PACKAGE_USAGE = "package-usage";
    /// A file is not the package that the spec names.
    PACKAGE_MISMATCH = "package-mismatch";
    /// A package could not be installed.
    PACKAGE_FAILED = "package-failed";
    /// A package was installed, and the hotfix is still not there.
    HOTFIX_NOT_EFFECTIVE = "hotfix-not-effective";
    /// A package has begun to restart the computer.
    RESTART_BEGUN = "restart-begun";
    /// A service that is to be restarted cannot be: it is not there.
    SERVICE_MISSING = "service-missing";
    /// A service could not be restarted.
    SERVICE_RESTART_FAILED = "service-restart-failed";
    /// A file is larger than a spec may be.
    FILE_TOO_LARGE = "file-too-large";
    /// A file is not UTF-8.
    NOT_UTF8 = "not-utf8";
    /// A character that a spec cannot have as it is: a NUL, a control character, a Unicode line separator.
    CONTROL_CHARACTER = "control-character";
    /// A file has no document in it.
    EMPTY_FILE = "empty-file";
    /// A file is not YAML.
    YAML_SYNTAX = "yaml-syntax";
    /// Lists and mappings are nested too deep.
    YAML_TOO_DEEP = "yaml-too-deep";
    /// A document has, with its aliases written out, too many nodes or too much text.
    YAML_TOO_LARGE = "yaml-too-large";
    /// A file has several documents.
    SEVERAL_DOCUMENTS = "several-documents";
    /// A mapping has one key twice.
    DUPLICATE_FIELD = "duplicate-field";
    /// A YAML tag, such as `!!str`.
    YAML_TAG = "yaml-tag";
    /// A mapping's key is not a plain or quoted text.
    YAML_KEY = "yaml-key";
    /// A merge key, `<<`.
    YAML_MERGE_KEY = "yaml-merge-key";
    /// An alias inside what it refers to.
    YAML_RECURSION = "yaml-recursion";
    /// Text without quotes that YAML 1.1 and YAML 1.2 read differently.
    AMBIGUOUS_SCALAR = "ambiguous-scalar";
    /// Text without quotes that is not read as text.
    UNQUOTED_SCALAR = "unquoted-scalar";
    /// A number that no registry type can hold.
    NUMBER_TOO_LARGE = "number-too-large";
    /// A path with a tab or line break in it, which was a backslash in double quotes.
    ESCAPED_CHARACTER = "escaped-character";
    /// Typographic quotes around a text, of which they are part.
    CURLY_QUOTES = "curly-quotes";
    /// Two readers of YAML disagree on what the file says.
    YAML_READERS_DISAGREE = "yaml-readers-disagree";
    /// A field that the language does not have.
    UNKNOWN_FIELD = "unknown-field";
    /// A field that must be there is not.
    MISSING_FIELD = "missing-field";
    /// A field without data.
    EMPTY_FIELD = "empty-field";
    /// A list, mapping or text that must not be empty is.
    EMPTY = "empty";
    /// Data of another kind than the field takes.
    WRONG_KIND = "wrong-kind";
    /// A word that is none of those that the field takes.
    UNKNOWN_WORD = "unknown-word";
    /// A number that is too small or too large for its field.
    OUT_OF_RANGE = "out-of-range";
    /// A text that does not have the form that its field takes.
    WRONG_FORM = "wrong-form";
    /// A version of the spec language that this kbfix does not know.
    SPEC_VERSION = "spec-version";
    /// Something else that the schema does not allow.
    SCHEMA = "schema";
    /// A spec without `hotfix` and `registry`.
    NOTHING_DESIRED = "nothing-desired";
    /// Of several fields exactly one must be given, and none is, or more than one.
    EXACTLY_ONE = "exactly-one";
    /// A field that makes no sense beside another.
    CONTRADICTION = "contradiction";
    /// A key path that is not legal.
    KEY_SYNTAX = "key-syntax";
    /// A key path in PowerShell's drive notation.
    KEY_DRIVE_NOTATION = "key-drive-notation";
    /// A key path that does not begin with a root key.
    UNKNOWN_ROOT_KEY = "unknown-root-key";
    /// A value name that is not legal.
    VALUE_NAME = "value-name";
    /// A character in a name that looks like another, or like nothing.
    LOOKALIKE = "lookalike";
    /// A space at the beginning or end of a name.
    OUTER_SPACE = "outer-space";
    /// A key that ends in the name of its own value.
    VALUE_IN_KEY = "value-in-key";
    /// A registry view of a key that both views share.
    VIEW_WITHOUT_EFFECT = "view-without-effect";
    /// A numbered control set where the current one is meant.
    CONTROL_SET = "control-set";
    /// `Wow6432Node` in a path; the view says it.
    WOW6432NODE = "wow6432node";
    /// Deletion of a key that Windows cannot do without.
    PROTECTED_KEY = "protected-key";
    /// `*` where it cannot stand for every subkey.
    STAR = "star";
    /// Text in the name of a key that looks like an escape, and is none.
    KEY_ESCAPE = "key-escape";
    /// A condition with the `*` of its rule's key.
    STAR_IN_CONDITION = "star-in-condition";
    /// A rule for each user whose condition holds where it holds for any user.
    USER_IN_CONDITION = "user-in-condition";
    /// A rule that counts on no machine.
    DEAD_RULE = "dead-rule";
    /// One key has two rules.
    DUPLICATE_KEY = "duplicate-key";
    /// One value has two rules.
    DUPLICATE_VALUE_NAME = "duplicate-value-name";
    /// Two rules of a spec want different things.
    CONFLICTING_RULES = "conflicting-rules";
    /// The name of a parameter or location is not legal.
    VARIABLE_NAME = "variable-name";
    /// A parameter that is not declared.
    UNKNOWN_PARAMETER = "unknown-parameter";
    /// A location that is not declared.
    UNKNOWN_LOCATION = "unknown-location";
    /// A `%VARIABLE%` that kbfix does not resolve.
    UNKNOWN_VARIABLE = "unknown-variable";
    /// A parameter that nothing uses.
    UNUSED_PARAMETER = "unused-parameter";
    /// A location that nothing uses.
    UNUSED_LOCATION = "unused-location";
    /// How a service starts is set, and no restart of the computer named.
    SERVICE_START = "service-start";
    /// A location that can be more than one folder.
    LOCATION_NOT_SINGLE = "location-not-single";
    /// A file's path that is not legal, or not absolute.
    FILE_PATH = "file-path";
    /// A path with a drive where Windows may be on another.
    FIXED_FOLDER = "fixed-folder";
    /// A text that is no file version.
    FILE_VERSION = "file-version";
    /// A text that is no version of Windows.
    OS_VERSION = "os-version";
    /// A service or an edition by the name that Windows shows.
    DISPLAY_NAME = "display-name";
    /// A range that nothing is in.
    EMPTY_RANGE = "empty-range";
    /// A text that is no date.
    DATE = "date";
    /// Branches of a file version that are not in order, or overlap.
    BRANCHES = "branches";
    /// Data of another kind than the registry type takes.
    DATA_KIND = "data-kind";
    /// A number that the registry type cannot hold.
    DATA_RANGE = "data-range";
    /// Text that is not bytes in hex digits.
    DATA_HEX = "data-hex";
    /// Text that a registry string cannot hold.
    DATA_TEXT = "data-text";
    /// A `%VARIABLE%` in a type that Windows does not expand.
    UNEXPANDED_VARIABLE = "unexpanded-variable";
    /// Data that the article does not allow.
    DATA_NOT_ALLOWED = "data-not-allowed";
    /// A scale or bits without `keep`: a machine that was hardened further is lowered.
    NO_KEEP = "no-keep";
    /// A registry type that the field beside it does not take.
    TYPE_MISMATCH = "type-mismatch";
    /// A bit that is both set and cleared, or a string both added and removed.
    OVERLAP = "overlap";
    /// A parameter whose parts do not fit each other.
    PARAMETER_KIND = "parameter-kind";
    /// Conditions are nested too deep.
    CONDITION_DEPTH = "condition-depth";
    /// The operator set a parameter that no spec declares.
    UNKNOWN_SETTING = "unknown-setting";
    /// The operator set a parameter to what it does not allow.
    SETTING_NOT_ALLOWED = "setting-not-allowed";
    /// A parameter has no default, and the operator did not set it.
    PARAMETER_NOT_SET = "parameter-not-set";
    /// Two specs of a run have one id.
    DUPLICATE_ID = "duplicate-id";
    /// Two specs of a run want different things.
    CONFLICTING_SPECS = "conflicting-specs";
    /// There are more findings than are shown.
    MORE_FINDINGS = "more-findings";
    /// A fault in kbfix itself.
    INTERNAL = "internal";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
