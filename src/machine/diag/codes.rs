//! The codes of all diagnostics.
//!
//! `docs/reference/diagnostics.md` lists all codes, and links to a section for each; a test checks that.

use schemars::JsonSchema;
use serde::Serialize;

/// The stable code of a kind of error or warning, in kebab-case, such as `target-locked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(with = "String")]
pub struct Code(&'static str);

impl Code {
    /// Returns the code as text, such as `target-locked`.
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
    /// A file cannot be read or written, or the folder for the copy of a package cannot be trusted.
    FILE_ACCESS = "file-access";
    /// The file or folder that `--out` names is also one that the command reads or writes, or is in a folder with such
    /// files.
    OUT_IS_INPUT = "out-is-input";
    /// An argument is neither a spec file, nor a folder with specs, nor the id of a built-in spec.
    SPEC_NOT_FOUND = "spec-not-found";
    /// No target was given.
    TARGET_MISSING = "target-missing";
    /// The target's address is not valid.
    TARGET_ADDRESS = "target-address";
    /// The target cannot be read.
    TARGET_UNREADABLE = "target-unreadable";
    /// The target's file is damaged, or has another format than expected.
    TARGET_MALFORMED = "target-malformed";
    /// This kind of target does not support the operation, or specs need more of the target than kbfix reads.
    TARGET_UNSUPPORTED = "target-unsupported";
    /// Another run of kbfix that changes the target holds its lock.
    TARGET_LOCKED = "target-locked";
    /// The target's lock file cannot be created, or another file has its name.
    TARGET_LOCK = "target-lock";
    /// A program that kbfix needs to reach the target is not installed.
    TARGET_PROGRAM = "target-program";
    /// The credentials for a remote target are missing or cannot be used.
    TARGET_CREDENTIALS = "target-credentials";
    /// The machine of a remote target cannot be reached, or lacks the protocol or the service that kbfix needs; or the
    /// connection broke.
    TARGET_UNREACHABLE = "target-unreachable";
    /// The logon to the machine of a remote target failed; or another machine refused the account, so kbfix
    /// did not try.
    TARGET_LOGON = "target-logon";
    /// The account can log on to the machine of a remote target, but may not access its registry or its files.
    TARGET_DENIED = "target-denied";
    /// The machine of a remote target did not answer within the time limit.
    TARGET_SILENT = "target-silent";
    /// A file that was given as a plan or fleet plan is not a valid one.
    PLAN_INVALID = "plan-invalid";
    /// The parts of a plan contradict each other.
    PLAN_INCONSISTENT = "plan-inconsistent";
    /// A plan file was edited after kbfix wrote it.
    PLAN_ALTERED = "plan-altered";
    /// The digest of a plan is not the digest that the reviewer approved.
    PLAN_DIGEST = "plan-digest";
    /// A plan or journal belongs to another machine, or the machine was renamed since.
    PLAN_OTHER_MACHINE = "plan-other-machine";
    /// A plan was made from another target.
    PLAN_OTHER_TARGET = "plan-other-target";
    /// A spec requires further changes after the changes of a later spec of the run.
    SPEC_ORDER = "spec-order";
    /// A plan or journal changes policy values of an image in the registry, but the command changes such values in the
    /// local GPO of the image (`--through-policy`); or the reverse.
    OTHER_PLACE = "other-place";
    /// The target has changed since the plan was made; or the plan retires specs, and the newest journal is another
    /// one.
    PLAN_STALE = "plan-stale";
    /// The `*` in a key path of a spec matches so many keys that the operator must confirm the changes.
    TOO_MANY_CHANGES = "too-many-changes";
    /// A spec tests a file on a drive that the target does not contain, and the operator gave no folder for that drive.
    FILES_NOT_GIVEN = "files-not-given";
    /// The target is a policy file, and this file does not exist.
    POLICY_FILE_MISSING = "policy-file-missing";
    /// A policy sets a value to other data than the spec requires, so a later refresh of Group Policy would undo the
    /// change.
    POLICY_OWNED = "policy-owned";
    /// kbfix cannot find out whether Group Policy sets a value of the spec.
    POLICY_UNKNOWN = "policy-unknown";
    /// Windows does not process the policy file of the target, or kbfix cannot find out whether it does.
    POLICY_NOT_PROCESSED = "policy-not-processed";
    /// Policy values of users cannot be written in the local GPO of an image.
    POLICY_OF_USERS = "policy-of-users";
    /// A change of the plan cannot be made on the target.
    CANNOT_APPLY = "cannot-apply";
    /// The state folder cannot be used, or a journal in it cannot be read or written.
    JOURNAL_ACCESS = "journal-access";
    /// A journal is damaged, or a file that was given as a journal is none.
    JOURNAL_MALFORMED = "journal-malformed";
    /// An account other than this user and the administrators could have written a journal or the state folder.
    JOURNAL_UNTRUSTED = "journal-untrusted";
    /// There is no journal with the given name, or none that the command needs: for example, no journal shows the spec
    /// as applied.
    JOURNAL_MISSING = "journal-missing";
    /// An entry for a machine in a fleet file cannot be used.
    FLEET_MACHINE = "fleet-machine";
    /// A wave of a fleet file names a group to which no machine belongs.
    FLEET_GROUP = "fleet-group";
    /// A fleet contains no machines.
    FLEET_EMPTY = "fleet-empty";
    /// A waiver has expired, or its expiry date is not valid.
    WAIVER_EXPIRED = "waiver-expired";
    /// A waiver names something that does not exist, such as a spec, rule or machine, or names no machine.
    WAIVER_UNKNOWN = "waiver-unknown";
    /// A fleet plan has no plan for the machine that an apply should change.
    FLEET_PLAN_MISSING = "fleet-plan-missing";
    /// A fleet plan has more than one plan for the machine that an apply should change.
    FLEET_PLAN_TWICE = "fleet-plan-twice";
    /// Several machines of a fleet have the same computer name or MachineGuid.
    FLEET_SAME_MACHINE = "fleet-same-machine";
    /// A change could not be written to the target.
    WRITE_FAILED = "write-failed";
    /// A rollback or a `retire` keeps a key or value as it is, because it was changed after the apply: by someone else,
    /// or by a later apply.
    ROLLBACK_CONFLICT = "rollback-conflict";
    /// `kbfix retire` lacks the file of another applied spec, or the parameters with which that spec was applied, so it
    /// does not know what that spec requires.
    RETIRE_NEEDS_SPEC = "retire-needs-spec";
    /// `kbfix retire` was given an id that no given spec, no built-in spec and no journal has.
    RETIRE_UNKNOWN_ID = "retire-unknown-id";
    /// A rollback restores keys in a control set that is no longer the current one, or that may no longer be the
    /// current one.
    OTHER_CONTROL_SET = "other-control-set";
    /// A file to import is larger than kbfix reads, or the spec made from it would be larger than a spec can be.
    REG_TOO_LARGE = "reg-too-large";
    /// A file that was given as a `.reg` file does not begin with the header of such a file.
    REG_HEADER = "reg-header";
    /// A file that was given as a `.reg` file is a hive.
    REG_HIVE = "reg-hive";
    /// A `.reg` file, or a text file for LGPO.exe, has bytes outside ASCII whose encoding (code page) is not known. For
    /// a text file, also: its bytes are not valid in its encoding.
    REG_CODE_PAGE = "reg-code-page";
    /// A section header (`[…]`) of a `.reg` file does not name a valid key.
    REG_KEY = "reg-key";
    /// A value in a `.reg` file stands outside the section of a key.
    REG_OUTSIDE_KEY = "reg-outside-key";
    /// A line of a `.reg` file is not valid in this format.
    REG_SYNTAX = "reg-syntax";
    /// A backslash in a string of a `.reg` file does not begin a known escape.
    REG_ESCAPE = "reg-escape";
    /// The data of a value in a `.reg` file is not in a notation that kbfix knows, such as `dword:00000001`.
    REG_DATA = "reg-data";
    /// A `.reg` file ends in the middle of an entry.
    REG_UNFINISHED = "reg-unfinished";
    /// A name or string in a `.reg` file cannot be decoded, or a value name is too long.
    IMPORT_UNREADABLE = "import-unreadable";
    /// An imported file has data that a spec cannot express.
    IMPORT_DATA = "import-data";
    /// A `.reg` file has text that regedit ignores.
    IMPORT_IGNORED = "import-ignored";
    /// A string in a `.reg` file contains `\n` or `\r`, which stand for line breaks.
    IMPORT_LINE_BREAK = "import-line-break";
    /// A REG_MULTI_SZ in an imported file lacks the final NUL; in the imported spec, the list has this NUL.
    IMPORT_LIST_END = "import-list-end";
    /// A `.reg` file changes HKCU of the user who imports it; the imported spec changes HKCU of each user.
    IMPORT_EACH_USER = "import-each-user";
    /// An imported file names a numbered control set, but the spec names `CurrentControlSet`; or two control sets in
    /// the file differ.
    IMPORT_CONTROL_SET = "import-control-set";
    /// The imported spec lacks a part of the source file, because a spec cannot express this part.
    IMPORT_LEFT_OUT = "import-left-out";
    /// A policy file or a text file for LGPO.exe is not valid, or kbfix cannot use an entry in it.
    POLICY_FILE = "policy-file";
    /// A policy changes the permissions of a key, which a spec cannot express.
    POLICY_SECURE_KEY = "policy-secure-key";
    /// The export format cannot express everything that the spec says, or `kbfix dsc export` leaves out the spec.
    EXPORT_LOSSY = "export-lossy";
    /// The input of a DSC resource cannot be used: for example, it does not match the schema of the resource.
    DSC_INPUT = "dsc-input";
    /// A DSC resource type is not one that kbfix provides.
    DSC_TYPE = "dsc-type";
    /// `kbfix dsc set` did not bring the target into the state that a spec requires.
    DSC_NOT_SET = "dsc-not-set";
    /// A package was given for an id that no spec of the run has, or for a spec that names no package; or the file is
    /// an archive; or the plan needs a package that was not given.
    PACKAGE_USAGE = "package-usage";
    /// A file that was given as a package is not the package that the spec describes.
    PACKAGE_MISMATCH = "package-mismatch";
    /// A package could not be installed.
    PACKAGE_FAILED = "package-failed";
    /// A package was installed, but the hotfix is still not present.
    HOTFIX_NOT_EFFECTIVE = "hotfix-not-effective";
    /// A hotfix was installed, but Windows puts the new file in place only when the computer restarts; or a machine of
    /// a fleet is already waiting for a restart.
    PENDING_RESTART = "pending-restart";
    /// A package has begun to restart the computer.
    RESTART_BEGUN = "restart-begun";
    /// A service that must be restarted does not exist, or kbfix cannot find out whether it exists.
    SERVICE_MISSING = "service-missing";
    /// A service could not be restarted.
    SERVICE_RESTART_FAILED = "service-restart-failed";
    /// A spec or another YAML file is larger than the limit.
    FILE_TOO_LARGE = "file-too-large";
    /// A spec or another YAML file is not UTF-8.
    NOT_UTF8 = "not-utf8";
    /// A YAML file contains a character that must be escaped: a NUL, a control character or a Unicode line separator.
    CONTROL_CHARACTER = "control-character";
    /// A YAML file, such as a spec, contains no data: it is empty, or has only comments or a null.
    EMPTY_FILE = "empty-file";
    /// A YAML file, such as a spec, is not valid YAML.
    YAML_SYNTAX = "yaml-syntax";
    /// Lists and mappings in a YAML file are nested too deep.
    YAML_TOO_DEEP = "yaml-too-deep";
    /// A YAML document has too many nodes or too much text, counted after its aliases are expanded.
    YAML_TOO_LARGE = "yaml-too-large";
    /// A YAML file, such as a spec, contains several YAML documents.
    SEVERAL_DOCUMENTS = "several-documents";
    /// A YAML mapping contains the same key twice.
    DUPLICATE_FIELD = "duplicate-field";
    /// A YAML file, such as a spec, uses a YAML tag, such as `!!str`.
    YAML_TAG = "yaml-tag";
    /// The key of a YAML mapping is not a plain or quoted scalar.
    YAML_KEY = "yaml-key";
    /// A YAML file, such as a spec, uses a merge key, `<<`.
    YAML_MERGE_KEY = "yaml-merge-key";
    /// A YAML alias stands inside the node to which it refers.
    YAML_RECURSION = "yaml-recursion";
    /// An unquoted scalar means different things in YAML 1.1 and YAML 1.2.
    AMBIGUOUS_SCALAR = "ambiguous-scalar";
    /// An unquoted YAML scalar is a number, a Boolean or null where a string is required; or it is a floating-point
    /// number.
    UNQUOTED_SCALAR = "unquoted-scalar";
    /// A number is too large for every registry type.
    NUMBER_TOO_LARGE = "number-too-large";
    /// An escape in a string in double quotes means a control character; or, in a path, a tab or a line break.
    ESCAPED_CHARACTER = "escaped-character";
    /// A string begins with a typographic quote (such as `“`), which YAML reads as a character of the string.
    CURLY_QUOTES = "curly-quotes";
    /// The two YAML parsers of kbfix read different contents from one file.
    YAML_READERS_DISAGREE = "yaml-readers-disagree";
    /// The spec language, or the format of another YAML file, has no such field.
    UNKNOWN_FIELD = "unknown-field";
    /// A YAML file, such as a spec, lacks a field that is required.
    MISSING_FIELD = "missing-field";
    /// A field or list item of a YAML file, such as a spec, has no data.
    EMPTY_FIELD = "empty-field";
    /// A list, mapping or string is empty; or a rule names no bit to set or clear, or no string to add or remove.
    EMPTY = "empty";
    /// A field contains the wrong kind of value, such as a string instead of a list; or a file that was given as a spec
    /// is a registry file.
    WRONG_KIND = "wrong-kind";
    /// A string is not one of the words that its field allows.
    UNKNOWN_WORD = "unknown-word";
    /// A number is too small or too large for its field.
    OUT_OF_RANGE = "out-of-range";
    /// A string does not have the form that its field requires, or is too long.
    WRONG_FORM = "wrong-form";
    /// A spec is in a version of the spec language that this version of kbfix does not know.
    SPEC_VERSION = "spec-version";
    /// The JSON schema forbids a part of a spec or of another YAML file, for a reason that no other code describes.
    SCHEMA = "schema";
    /// A spec has neither `hotfix` nor `registry`, or a file to import contains nothing that a spec can require.
    NOTHING_DESIRED = "nothing-desired";
    /// A part of a spec has none or more than one of several fields, but must have exactly one; or a test of the
    /// Windows version has no field.
    EXACTLY_ONE = "exactly-one";
    /// Two parts of a spec contradict each other, or cannot be used together.
    CONTRADICTION = "contradiction";
    /// A key path is not valid.
    KEY_SYNTAX = "key-syntax";
    /// A key path is in PowerShell's drive notation.
    KEY_DRIVE_NOTATION = "key-drive-notation";
    /// A key path does not begin with a root key.
    UNKNOWN_ROOT_KEY = "unknown-root-key";
    /// A value name is not valid, or is a notation for the default value (`@`, `(Default)`).
    VALUE_NAME = "value-name";
    /// A character in a name is invisible, looks like another character, or is a Cyrillic, Greek, Armenian or Cherokee
    /// letter in a word that also has Latin letters.
    LOOKALIKE = "lookalike";
    /// A name in a spec, such as that of a key, a value or a file, begins or ends with a space.
    OUTER_SPACE = "outer-space";
    /// The last name in a key path is also the name of a value that the same rule or test names in this key. Perhaps it
    /// does not belong to the path.
    VALUE_IN_KEY = "value-in-key";
    /// A registry view is given for a key that both views share.
    VIEW_WITHOUT_EFFECT = "view-without-effect";
    /// A spec names a numbered control set where the current one is probably meant.
    CONTROL_SET = "control-set";
    /// The path of a key contains `Wow6432Node`; in a spec, the field `view` selects the 32-bit view.
    WOW6432NODE = "wow6432node";
    /// A spec deletes a root key, a key that Windows needs, or each key that matches a `*`; or it deletes all other
    /// contents of a root key or of a key that Windows needs.
    PROTECTED_KEY = "protected-key";
    /// A rule uses the wildcard `*` below `Classes`, where a key named `*` (for files of all types) is probably meant.
    STAR = "star";
    /// The name of a key contains `**`, `[}]` or `[*`, which may not mean what the author expects.
    KEY_ESCAPE = "key-escape";
    /// The `when` of a rule contains the same `*` as the key of the rule. It is one test of all keys that match, and
    /// not a test of each key by itself.
    STAR_IN_CONDITION = "star-in-condition";
    /// The conditions of a rule, with `applicable` of the spec, can be met on no machine.
    DEAD_RULE = "dead-rule";
    /// Two rules of a spec have the same key and no conditions.
    DUPLICATE_KEY = "duplicate-key";
    /// A rule contains the same value twice.
    DUPLICATE_VALUE_NAME = "duplicate-value-name";
    /// Two rules of a spec require different states of one key or value.
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
    /// A spec changes the start type of a service, but does not say that the computer must be restarted.
    SERVICE_START = "service-start";
    /// A location can resolve to more than one folder.
    LOCATION_NOT_SINGLE = "location-not-single";
    /// A file path is not valid or not absolute, or the file name of a package contains a folder.
    FILE_PATH = "file-path";
    /// A path begins with a folder such as `C:\Windows`, which is on another drive or has another name on some
    /// machines.
    FIXED_FOLDER = "fixed-folder";
    /// A string is neither a file version nor, in the test of a value, a version of one to four numbers.
    FILE_VERSION = "file-version";
    /// A version of Windows in a spec is not a version number such as `6.1` or `10.0.17763`.
    OS_VERSION = "os-version";
    /// A service or an edition of Windows is given by its display name, where its internal name is required.
    DISPLAY_NAME = "display-name";
    /// A range is empty: no number or version is in it.
    EMPTY_RANGE = "empty-range";
    /// The field `reviewed` of the article in a spec is a date that does not exist, such as 2008-02-30.
    DATE = "date";
    /// In a spec, the `branches` of a file are not in ascending order, or a `version` is not in its branch.
    BRANCHES = "branches";
    /// The data does not have the kind that the registry type requires, such as a string for a REG_DWORD.
    DATA_KIND = "data-kind";
    /// A number is too large or too small for the registry type.
    DATA_RANGE = "data-range";
    /// The bytes of a registry value are not written as two hex digits each, or have a prefix such as `hex:`.
    DATA_HEX = "data-hex";
    /// A string contains a NUL; or an item of a list is empty, is given twice, or cannot be stored in the list.
    DATA_TEXT = "data-text";
    /// A REG_MULTI_SZ has an empty string before another string, so most programs do not read all of it.
    EMPTY_STRING = "empty-string";
    /// A string is not a valid regular expression, or the regular expression is too large.
    REGULAR_EXPRESSION = "regular-expression";
    /// A `%VARIABLE%` stands in data of a type that Windows does not expand.
    UNEXPANDED_VARIABLE = "unexpanded-variable";
    /// Data in a spec, or data that a parameter can have, is not in the list of allowed data (`allowed`) beside it, or
    /// `keep` beside it does not accept it.
    DATA_NOT_ALLOWED = "data-not-allowed";
    /// A spec sets a number without `keep`, so it would also replace a stricter number.
    NO_KEEP = "no-keep";
    /// A field cannot be used with the registry type that stands beside it, or a list of types contains a type twice.
    TYPE_MISMATCH = "type-mismatch";
    /// A bit is both set and cleared, or a string both added and removed.
    OVERLAP = "overlap";
    /// The default, range or allowed values of a parameter do not fit the type of the parameter.
    PARAMETER_KIND = "parameter-kind";
    /// Conditions are nested too deep.
    CONDITION_DEPTH = "condition-depth";
    /// The operator set a parameter that no spec declares.
    UNKNOWN_SETTING = "unknown-setting";
    /// The operator set a parameter to a value that the parameter does not allow.
    SETTING_NOT_ALLOWED = "setting-not-allowed";
    /// A parameter has no default, and the operator did not set it.
    PARAMETER_NOT_SET = "parameter-not-set";
    /// Two specs, rules or values of a run have the same id.
    DUPLICATE_ID = "duplicate-id";
    /// Two specs of a run require different states of one key or value.
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
