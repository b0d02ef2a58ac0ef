//! The codes of all diagnostics.
//!
//! `docs/reference/diagnostics.md` has a section for each code; a test checks that.

use schemars::JsonSchema;
use serde::Serialize;

/// A stable code, in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(with = "String")]
pub struct Code(&'static str);

impl Code {
    /// Returns the code's text.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self($text);)*
        }

        /// All codes, in the order of their declaration.
        pub const CODES: &[Code] = &[$(Code::$name),*];
    };
}

codes! {
    /// The command line is wrong in a way that clap does not detect.
    USAGE = "usage";
    /// A file cannot be read or written.
    FILE_ACCESS = "file-access";
    /// The file that `--out` names is also an input of the same command.
    OUT_IS_INPUT = "out-is-input";
    /// The argument is not a spec file, a folder or the id of a built-in spec.
    SPEC_NOT_FOUND = "spec-not-found";
    /// No target was given.
    TARGET_MISSING = "target-missing";
    /// The target's address is not valid.
    TARGET_ADDRESS = "target-address";
    /// The target cannot be read.
    TARGET_UNREADABLE = "target-unreadable";
    /// The target's file is damaged, or has another format than expected.
    TARGET_MALFORMED = "target-malformed";
    /// The target does not support the operation.
    TARGET_UNSUPPORTED = "target-unsupported";
    /// Another apply or rollback holds the target's lock.
    TARGET_LOCKED = "target-locked";
    /// The target's lock file cannot be created, or something else is in its place.
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
    /// The other machine does not answer.
    TARGET_SILENT = "target-silent";
    /// A file is not a plan.
    PLAN_INVALID = "plan-invalid";
    /// The parts of a plan contradict each other.
    PLAN_INCONSISTENT = "plan-inconsistent";
    /// A plan was altered after it was made.
    PLAN_ALTERED = "plan-altered";
    /// A plan is not the one that was approved.
    PLAN_DIGEST = "plan-digest";
    /// A plan or journal belongs to another machine.
    PLAN_OTHER_MACHINE = "plan-other-machine";
    /// A plan was made from another target.
    PLAN_OTHER_TARGET = "plan-other-target";
    /// A plan or journal changes policy values in the local GPO, but the command changes them in the registry, or the
    /// reverse.
    OTHER_PLACE = "other-place";
    /// The target has changed since the plan was made.
    PLAN_STALE = "plan-stale";
    /// A `*` in a spec matches so many keys that the operator must confirm it.
    TOO_MANY_CHANGES = "too-many-changes";
    /// Files on a drive are needed, but the operator named no folder that contains them.
    FILES_NOT_GIVEN = "files-not-given";
    /// The policy file that is the target does not exist.
    POLICY_FILE_MISSING = "policy-file-missing";
    /// Group Policy sets a value to other data than the spec, and writes it again.
    POLICY_OWNED = "policy-owned";
    /// It is not known whether Group Policy sets values.
    POLICY_UNKNOWN = "policy-unknown";
    /// Windows does not process the policy file that contains the values.
    POLICY_NOT_PROCESSED = "policy-not-processed";
    /// Policy values of users cannot be written in the local GPO of an image.
    POLICY_OF_USERS = "policy-of-users";
    /// The target cannot be written as the plan requires.
    CANNOT_APPLY = "cannot-apply";
    /// The state folder or a journal cannot be read or written.
    JOURNAL_ACCESS = "journal-access";
    /// A journal is damaged.
    JOURNAL_MALFORMED = "journal-malformed";
    /// Another account could have written a journal or the state folder.
    JOURNAL_UNTRUSTED = "journal-untrusted";
    /// There is no journal to roll back.
    JOURNAL_MISSING = "journal-missing";
    /// A machine of a fleet file cannot be used.
    FLEET_MACHINE = "fleet-machine";
    /// No machine is in a group that the fleet file or a waiver names.
    FLEET_GROUP = "fleet-group";
    /// A fleet has no machine.
    FLEET_EMPTY = "fleet-empty";
    /// A waiver has expired, or its date is not valid.
    WAIVER_EXPIRED = "waiver-expired";
    /// A waiver names something that does not exist.
    WAIVER_UNKNOWN = "waiver-unknown";
    /// A fleet plan has no plan for the machine.
    FLEET_PLAN_MISSING = "fleet-plan-missing";
    /// A fleet plan has more than one plan for the machine.
    FLEET_PLAN_TWICE = "fleet-plan-twice";
    /// Several machines of a fleet have the same identity.
    FLEET_SAME_MACHINE = "fleet-same-machine";
    /// A change could not be written.
    WRITE_FAILED = "write-failed";
    /// A rollback or a retirement kept a setting that was changed again after the apply.
    ROLLBACK_CONFLICT = "rollback-conflict";
    /// A spec that is applied and stays was not given to the retirement.
    RETIRE_NEEDS_SPEC = "retire-needs-spec";
    /// An id to retire is not the id of any spec, built-in spec or journal.
    RETIRE_UNKNOWN_ID = "retire-unknown-id";
    /// A rollback was made in a control set that is not the current one.
    OTHER_CONTROL_SET = "other-control-set";
    /// A registry file is larger than the largest file that kbfix reads.
    REG_TOO_LARGE = "reg-too-large";
    /// A registry file does not begin with the header of a `.reg` file.
    REG_HEADER = "reg-header";
    /// The file is a registry hive, not a registry file.
    REG_HIVE = "reg-hive";
    /// A registry file has bytes in an unknown code page.
    REG_CODE_PAGE = "reg-code-page";
    /// The section of a registry file does not name a valid key.
    REG_KEY = "reg-key";
    /// A value in a registry file is in no section of a key.
    REG_OUTSIDE_KEY = "reg-outside-key";
    /// A line of a registry file is not valid in the format.
    REG_SYNTAX = "reg-syntax";
    /// A backslash in a string of a registry file does not begin a known escape.
    REG_ESCAPE = "reg-escape";
    /// The data in a registry file has no known form.
    REG_DATA = "reg-data";
    /// A registry file ends in the middle of an entry.
    REG_UNFINISHED = "reg-unfinished";
    /// A name or string in a registry file cannot be decoded.
    IMPORT_UNREADABLE = "import-unreadable";
    /// A registry file has data that a spec cannot express.
    IMPORT_DATA = "import-data";
    /// A registry file has text that regedit ignores.
    IMPORT_IGNORED = "import-ignored";
    /// A string in a registry file contains `\n` or `\r`, which stand for line breaks.
    IMPORT_LINE_BREAK = "import-line-break";
    /// A list in a registry file lacks its final NUL; the spec writes it.
    IMPORT_LIST_END = "import-list-end";
    /// A registry file applies to the user who imports it; the imported spec applies to each user.
    IMPORT_EACH_USER = "import-each-user";
    /// A registry file names a numbered control set; the imported spec names the current one.
    IMPORT_CONTROL_SET = "import-control-set";
    /// A part of an imported manifest is not in the spec.
    IMPORT_LEFT_OUT = "import-left-out";
    /// A policy file, or an entry in one or in text for LGPO.exe, cannot be understood.
    POLICY_FILE = "policy-file";
    /// A policy changes the permissions of a key, which a spec cannot express.
    POLICY_SECURE_KEY = "policy-secure-key";
    /// The export format cannot express everything that the spec says.
    EXPORT_LOSSY = "export-lossy";
    /// The input of a DSC resource does not match its schema.
    DSC_INPUT = "dsc-input";
    /// A type is not a resource type of kbfix.
    DSC_TYPE = "dsc-type";
    /// `kbfix dsc set` left a spec as it was.
    DSC_NOT_SET = "dsc-not-set";
    /// A package was given that no spec of the run can use, or a package that the plan installs was not given.
    PACKAGE_USAGE = "package-usage";
    /// A file is not the package that the spec describes.
    PACKAGE_MISMATCH = "package-mismatch";
    /// A package could not be installed.
    PACKAGE_FAILED = "package-failed";
    /// A package was installed, but the hotfix is still not present.
    HOTFIX_NOT_EFFECTIVE = "hotfix-not-effective";
    /// A package was installed, and the next start of the computer replaces the hotfix's file.
    PENDING_RESTART = "pending-restart";
    /// A package has begun to restart the computer.
    RESTART_BEGUN = "restart-begun";
    /// A service that should be restarted does not exist.
    SERVICE_MISSING = "service-missing";
    /// A service could not be restarted.
    SERVICE_RESTART_FAILED = "service-restart-failed";
    /// A file is larger than a spec may be.
    FILE_TOO_LARGE = "file-too-large";
    /// A file is not UTF-8.
    NOT_UTF8 = "not-utf8";
    /// A spec contains a character that must be escaped: a NUL, a control character or a Unicode line separator.
    CONTROL_CHARACTER = "control-character";
    /// A file contains no document.
    EMPTY_FILE = "empty-file";
    /// A file is not YAML.
    YAML_SYNTAX = "yaml-syntax";
    /// Lists and mappings are nested too deep.
    YAML_TOO_DEEP = "yaml-too-deep";
    /// A document has too many nodes or too much text, counted with its aliases expanded.
    YAML_TOO_LARGE = "yaml-too-large";
    /// A file contains several documents.
    SEVERAL_DOCUMENTS = "several-documents";
    /// A mapping has the same key twice.
    DUPLICATE_FIELD = "duplicate-field";
    /// A spec uses a YAML tag, such as `!!str`.
    YAML_TAG = "yaml-tag";
    /// The key of a mapping is not a plain or quoted scalar.
    YAML_KEY = "yaml-key";
    /// A spec uses a merge key, `<<`.
    YAML_MERGE_KEY = "yaml-merge-key";
    /// An alias stands inside the node that it refers to.
    YAML_RECURSION = "yaml-recursion";
    /// An unquoted scalar means different things in YAML 1.1 and YAML 1.2.
    AMBIGUOUS_SCALAR = "ambiguous-scalar";
    /// An unquoted scalar is not read as a string.
    UNQUOTED_SCALAR = "unquoted-scalar";
    /// A number is too large for every registry type.
    NUMBER_TOO_LARGE = "number-too-large";
    /// A path contains a tab or line break, because a backslash in double quotes began an escape.
    ESCAPED_CHARACTER = "escaped-character";
    /// A string has typographic quotes around it, which become part of it.
    CURLY_QUOTES = "curly-quotes";
    /// Two YAML parsers disagree about the contents of the file.
    YAML_READERS_DISAGREE = "yaml-readers-disagree";
    /// The spec language has no such field.
    UNKNOWN_FIELD = "unknown-field";
    /// A required field is missing.
    MISSING_FIELD = "missing-field";
    /// A field has no value.
    EMPTY_FIELD = "empty-field";
    /// A list, mapping or string is empty, but must not be.
    EMPTY = "empty";
    /// The value of a field is of the wrong kind.
    WRONG_KIND = "wrong-kind";
    /// A word is not one of those that the field allows.
    UNKNOWN_WORD = "unknown-word";
    /// A number is too small or too large for its field.
    OUT_OF_RANGE = "out-of-range";
    /// A string does not have the form that its field requires.
    WRONG_FORM = "wrong-form";
    /// This version of kbfix does not know the version of the spec language.
    SPEC_VERSION = "spec-version";
    /// The schema forbids the value in another way.
    SCHEMA = "schema";
    /// A spec has neither `hotfix` nor `registry`.
    NOTHING_DESIRED = "nothing-desired";
    /// Exactly one of several fields must be given, but none is, or more than one.
    EXACTLY_ONE = "exactly-one";
    /// A field contradicts another one.
    CONTRADICTION = "contradiction";
    /// A key path is not valid.
    KEY_SYNTAX = "key-syntax";
    /// A key path is in PowerShell's drive notation.
    KEY_DRIVE_NOTATION = "key-drive-notation";
    /// A key path does not begin with a root key.
    UNKNOWN_ROOT_KEY = "unknown-root-key";
    /// A value name is not valid.
    VALUE_NAME = "value-name";
    /// A character in a name looks like another one, or is invisible.
    LOOKALIKE = "lookalike";
    /// A name begins or ends with a space.
    OUTER_SPACE = "outer-space";
    /// A key path ends in the name of its own value.
    VALUE_IN_KEY = "value-in-key";
    /// A registry view is given for a key that both views share.
    VIEW_WITHOUT_EFFECT = "view-without-effect";
    /// A spec names a numbered control set where the current one is probably meant.
    CONTROL_SET = "control-set";
    /// A path contains `Wow6432Node`; the field for the view should be used instead.
    WOW6432NODE = "wow6432node";
    /// A spec deletes a key that Windows needs.
    PROTECTED_KEY = "protected-key";
    /// A rule contains the key `*` below Classes, where it probably means the key for files of all types.
    STAR = "star";
    /// The name of a key contains text that looks like an escape but is not one.
    KEY_ESCAPE = "key-escape";
    /// A condition uses the `*` of its rule's key.
    STAR_IN_CONDITION = "star-in-condition";
    /// A rule applies to no machine.
    DEAD_RULE = "dead-rule";
    /// One key has two rules.
    DUPLICATE_KEY = "duplicate-key";
    /// One value has two rules.
    DUPLICATE_VALUE_NAME = "duplicate-value-name";
    /// Two rules of a spec require different states.
    CONFLICTING_RULES = "conflicting-rules";
    /// The name of a parameter or location is not valid.
    VARIABLE_NAME = "variable-name";
    /// A spec uses a parameter that it does not declare.
    UNKNOWN_PARAMETER = "unknown-parameter";
    /// A spec uses a location that it does not declare.
    UNKNOWN_LOCATION = "unknown-location";
    /// A spec uses a `%VARIABLE%` that kbfix does not resolve.
    UNKNOWN_VARIABLE = "unknown-variable";
    /// A spec declares a parameter that it does not use.
    UNUSED_PARAMETER = "unused-parameter";
    /// A spec declares a location that it does not use.
    UNUSED_LOCATION = "unused-location";
    /// A spec changes the start type of a service, but does not request a restart of the computer.
    SERVICE_START = "service-start";
    /// A location can resolve to more than one folder.
    LOCATION_NOT_SINGLE = "location-not-single";
    /// A file path is not valid, or not absolute.
    FILE_PATH = "file-path";
    /// A path names a drive, although Windows may be on another one.
    FIXED_FOLDER = "fixed-folder";
    /// A string is not a file version.
    FILE_VERSION = "file-version";
    /// A string is not a version of Windows.
    OS_VERSION = "os-version";
    /// A service or an edition is given by its display name.
    DISPLAY_NAME = "display-name";
    /// A range contains nothing.
    EMPTY_RANGE = "empty-range";
    /// A string is not a date.
    DATE = "date";
    /// The branches of a file version overlap or are not in ascending order.
    BRANCHES = "branches";
    /// The data is of another kind than the registry type requires.
    DATA_KIND = "data-kind";
    /// A number is too large or too small for the registry type.
    DATA_RANGE = "data-range";
    /// A string is not bytes in hex digits.
    DATA_HEX = "data-hex";
    /// A string cannot be stored as a registry string.
    DATA_TEXT = "data-text";
    /// A string is not a valid regular expression, or the regular expression is too large.
    REGULAR_EXPRESSION = "regular-expression";
    /// A `%VARIABLE%` stands in data of a type that Windows does not expand.
    UNEXPANDED_VARIABLE = "unexpanded-variable";
    /// The article does not allow the data.
    DATA_NOT_ALLOWED = "data-not-allowed";
    /// A number with several levels has no `keep`, so the spec would weaken a machine with a stricter setting.
    NO_KEEP = "no-keep";
    /// The field beside the registry type does not accept that type.
    TYPE_MISMATCH = "type-mismatch";
    /// A bit is both set and cleared, or a string both added and removed.
    OVERLAP = "overlap";
    /// The parts of a parameter contradict each other.
    PARAMETER_KIND = "parameter-kind";
    /// Conditions are nested too deep.
    CONDITION_DEPTH = "condition-depth";
    /// The operator set a parameter that no spec declares.
    UNKNOWN_SETTING = "unknown-setting";
    /// The operator set a parameter to a value that it does not allow.
    SETTING_NOT_ALLOWED = "setting-not-allowed";
    /// A parameter has no default, and the operator did not set it.
    PARAMETER_NOT_SET = "parameter-not-set";
    /// Two specs of a run, or two of their rules and values, have the same id.
    DUPLICATE_ID = "duplicate-id";
    /// Two specs of a run require different states.
    CONFLICTING_SPECS = "conflicting-specs";
    /// There are more findings than kbfix prints.
    MORE_FINDINGS = "more-findings";
    /// kbfix itself has a fault.
    INTERNAL = "internal";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
