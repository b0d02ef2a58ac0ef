//! The pages of the reference of the language, with their introductions.

/// A page that describes the objects of one subject.
pub(super) struct Group {
    /// The name of the page in `docs/reference/language`, without `.md`.
    pub(super) page: &'static str,
    pub(super) title: &'static str,
    /// The text after the title and [`WHAT_A_SPEC_IS`](super::WHAT_A_SPEC_IS).
    pub(super) introduction: &'static str,
    /// The names of the schema definitions that the page describes, in the order of the page.
    pub(super) objects: &'static [&'static str],
}

/// The pages about all objects of the spec language. A test checks that each definition of the schema is on one page.
pub(super) const GROUPS: [Group; 8] = [
    Group {
        page: "spec",
        title: "The fields of a spec",
        introduction: r#"This page describes the fields at the top level of a spec, and the fields of `article` and `sources`.
[Write a spec](../../how-to/write-a-spec.md) shows how to use these fields.
For example, this is the beginning of a spec:

```yaml
kbfix: 1
id: EXAMPLE
title: An example
article: { url: "https://support.microsoft.com/help/909094", reviewed: 2008-05-13 }
sources:
  - { level: microsoft, what: The key and the value., url: "https://support.microsoft.com/help/909094" }
```
"#,
        objects: &["Spec", "Article", "Source", "SourceLevel"],
    },
    Group {
        page: "parameters",
        title: "Parameters and locations in a spec",
        introduction: r#"This page describes two fields of a spec.
`parameters` contains the settings that the person who runs kbfix (the *operator*) can choose.
`locations` contains names for folders whose paths are in the registry.
[Write a spec](../../how-to/write-a-spec.md#parameters) shows how to use parameters, and [its complete example](../../how-to/write-a-spec.md#a-complete-example) has a location.
For example, this part of a spec sets `Mode` to 1, or to the number that the operator chooses with `--set mode=0`:

```yaml
parameters:
  mode: { description: The mode of the service., allowed: { 0: "off", 1: "on" }, default: 1 }
registry:
  - key: HKLM\SOFTWARE\Contoso
    values:
      Mode: { type: REG_DWORD, data: { parameter: mode } }
```
"#,
        objects: &[
            "Parameter",
            "ParameterType",
            "Allowed",
            "NumberRange",
            "ParameterReference",
            "Location",
            "ValuePlace",
        ],
    },
    Group {
        page: "conditions",
        title: "Conditions in a spec",
        introduction: r#"A *condition* in a spec is a test of the machine, for example whether a registry key exists.
Its result is *true* (in reports *met*), *false* (in reports *unmet*), or *unknown*, for example if kbfix cannot read what the test needs.
These fields contain conditions: `applicable`, `prerequisites` and `cause` of the spec, `when` of a [rule](keys.md#keyrule) or of a value in it, and `done_when` of a [trigger](keys.md#trigger).
The descriptions of these fields say what kbfix does if the condition is true, false or unknown ([spec](spec.md#spec), [rule](keys.md#keyrule), [value](values.md#valuerule), [trigger](keys.md#trigger)).
[Write a spec](../../how-to/write-a-spec.md#conditions) shows how to use conditions.
For example, this condition is true on a server with Windows Server 2008 or later, if the key exists:

```yaml
applicable:
  all:
    - os: { at_least: "6.0", product: [server, domain_controller] }
    - registry: { key: HKLM\SOFTWARE\Contoso }
```
"#,
        objects: &[
            "Condition",
            "Prerequisite",
            "RegistryTest",
            "Comparison",
            "OtherValue",
            "VersionRange",
            "FileTest",
            "OsTest",
            "Product",
        ],
    },
    Group {
        page: "hotfix",
        title: "The hotfix in a spec",
        introduction: r#"The field `hotfix` of a spec describes the update that must be installed before kbfix changes the registry.
kbfix compares the versions that the files of the update have on the target with the versions in the spec.
If a file is missing or too old, the outcome of the spec is *blocked*.
If Windows replaces each such file when it starts next, and nothing else blocks the spec, the outcome is *pending restart* instead.
If no file is missing or too old, but a file cannot be read, the outcome is *unknown*.
[A hotfix that kbfix may install](../../how-to/special-rules.md#a-hotfix-that-kbfix-may-install) shows how kbfix can also install the update; a missing update then leads to *changes pending* instead of *blocked*.
For example, this hotfix is installed if the file has this version or a later one:

```yaml
hotfix:
  files:
    - { path: '%SystemRoot%\System32\gpsvc.dll', version: 6.1.7601.18288 }
```
"#,
        objects: &["Hotfix", "HotfixFile", "Branch", "PlatformName", "Package"],
    },
    Group {
        page: "keys",
        title: "Rules for registry keys in a spec",
        introduction: r#"The field `registry` of a spec is a list of *rules*.
A rule names a registry key, and says whether the key must exist, and which values the key must or must not contain ([rules for values](values.md)).
[Special rules in a spec](../../how-to/special-rules.md) shows rules that delete keys, and rules for many keys.
For example, the first rule requires a value, and the second one deletes a key:

```yaml
registry:
  - key: HKLM\SOFTWARE\Contoso
    values: { Mode: { type: REG_DWORD, data: 1 } }
  - key: HKLM\SOFTWARE\Contoso\Cache
    ensure: absent
```
"#,
        objects: &[
            "KeyRule",
            "Ensure",
            "OnSubkeys",
            "Exclusive",
            "ViewChoice",
            "OneView",
            "Trigger",
            "Severity",
            "Controls",
            "ControlIds",
        ],
    },
    Group {
        page: "values",
        title: "Rules for registry values in a spec",
        introduction: r#"A *rule* in a spec names a registry key ([rules for keys](keys.md)).
The field `values` of a rule names values of this key, and says which data each of these values must have, and which other data may stay.
For example, this rule requires that `Mode` is 1.
It keeps a `Level` of 3 or more, and sets any other `Level` to 3.
It sets bit 0 of `Flags`; Windows treats an absent `Flags` as 4, so kbfix then writes 5:

```yaml
registry:
  - key: HKLM\SOFTWARE\Contoso
    values:
      Mode: { type: REG_DWORD, data: 1 }
      Level: { type: REG_DWORD, data: 3, keep: { at_least: 3 } }
      Flags: { type: REG_DWORD, bits: { set: 1 }, if_absent: 4 }
```
"#,
        objects: &["ValueRule", "Keep", "KeepWord", "KeepWhich", "Bits", "ListEdit", "Replace", "Compare"],
    },
    Group {
        page: "data",
        title: "Data and types in a spec",
        introduction: r#"This page describes how you write the data of registry values in a spec, and which registry types a spec can name.
For example, this rule has data of four types:

```yaml
registry:
  - key: HKLM\SOFTWARE\Contoso
    values:
      Mode: { type: REG_DWORD, data: 0x10 }
      Name: { type: REG_SZ, data: "65" }
      Servers: { type: REG_MULTI_SZ, data: [FE1, FE2] }
      Mask: { type: REG_BINARY, data: 01 00 ff }
```

A string that looks like a number needs quotes, such as `"65"`: without quotes it is a number, which a REG_SZ does not accept.
"#,
        objects: &["Literal", "Scalar", "DataExpression", "TypeChoice", "TypeName"],
    },
    Group {
        page: "steps",
        title: "Manual steps, restarts and symptoms in a spec",
        introduction: r#"This page describes three fields of a spec.
`manual_steps` and `restart` say what must be done in addition to the changes in the registry.
`symptoms` lists events in the event logs that show the problem of the article, or show that the problem is solved.
This is an example:

```yaml
manual_steps:
  - { what: Create a backup of the database., order: before }
restart: { computer: never, services: [IISADMIN] }
symptoms:
  - event: { log: System, source: DNS, id: 4015 }
```
"#,
        objects: &[
            "ManualStep",
            "StepOrder",
            "Restart",
            "ComputerRestart",
            "Symptom",
            "Event",
            "EventLevel",
            "Expectation",
        ],
    },
];
