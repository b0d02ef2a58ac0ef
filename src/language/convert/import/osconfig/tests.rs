use super::*;

fn about() -> About<'static> {
    About { id: "T", title: "Test", summary: None }
}

fn imported(resources: &str) -> ImportedManifest {
    let text = format!("\u{feff}# c\n$schema: x\nresources:\n{resources}");
    import("t.osc.yaml", text.as_bytes(), about()).unwrap_or_else(|d| panic!("{d:#?}"))
}

fn test(value_type: &str, rest: &str) -> String {
    format!(
        "- name: Na\n  type: {TEST}\n  properties:\n    resource:\n      type: {REGISTRY}\n      properties: {{ keyPath: \
         'HKLM:\\SOFTWARE\\A', valueName: v, valueType: {value_type}, {rest}\n- type: {REGISTRY}\n  properties: {{ keyPath: \
         'HKLM:\\SOFTWARE\\B', valueName: w, valueType: REG_DWORD, value: 1 }}\n"
    )
}

/// Returns what the rule becomes, or why it is left out.
fn become_of(value_type: &str, rest: &str) -> String {
    let ImportedManifest { spec, rules, imported } = imported(&test(value_type, rest));
    assert_eq!(rules, 2);
    match spec.warnings.as_slice() {
        [] => {
            assert_eq!(imported, 2);
            let start = spec.text.find("      v:").unwrap();
            let end = spec.text.find("  - key: HKLM\\SOFTWARE\\B").unwrap();
            let lines: Vec<&str> = spec.text[start..end].lines().map(str::trim).collect();
            match lines.as_slice() {
                [line] => line.replace("id: Na, ", "").replace(", note: Na", ""),
                [_, fields @ ..] => {
                    let fields: Vec<_> = fields.iter().filter(|line| !line.ends_with(": Na")).copied().collect();
                    format!("v: {{ {} }}", fields.join(", "))
                }
                [] => String::new(),
            }
        }
        [warning] => {
            assert_eq!((imported, warning.place.as_ref().map(|place| place.line)), (1, Some(4)));
            let why = warning.message.strip_prefix("\"Na\" is left out: ").unwrap().to_owned();
            assert!(spec.text.contains("\"Na\": "), "{}", spec.text);
            why
        }
        more => panic!("{more:#?}"),
    }
}

#[test]
fn each_schema_becomes_the_rule_that_accepts_the_same() {
    for (value_type, rest, rule) in [
        ("REG_DWORD", "value: 1 }\n    schema: { const: 1, title: t }", "v: { type: REG_DWORD, data: 1 }"),
        ("REG_DWORD", "value: }\n    schema: { const: 1 }", "v: { type: REG_DWORD, data: 1 }"),
        ("REG_DWORD", "value: }\n    schema: { const: }", "v: { ensure: absent }"),
        ("REG_DWORD", "value: }\n    schema: { type: 'null' }", "v: { ensure: absent }"),
        (
            "REG_QWORD",
            "value: 4294967296 }\n    schema: { const: 4294967296 }",
            "v: { type: REG_QWORD, data: 4294967296 }",
        ),
        ("REG_SZ", "value: '1' }\n    schema: { const: 1 }", "v: { type: REG_SZ, data: \"1\" }"),
        ("REG_BINARY", "value: AP8= }\n    schema: { const: AP8= }", "v: { type: REG_BINARY, data: 00ff }"),
        ("REG_MULTI_SZ", "value: [a, b] }\n    schema: { const: [a, b] }", "v: { type: REG_MULTI_SZ, data: [a, b] }"),
        (
            "REG_DWORD",
            "value: 2 }\n    schema: { oneOf: [{ const: 1 }, { const: 2 }, { const: }] }",
            "v: { type: REG_DWORD, data: 2, keep: { one_of: [1, 2] }, if_absent: 2 }",
        ),
        (
            "REG_DWORD",
            "value: 2 }\n    schema: { enum: [2, 3] }",
            "v: { type: REG_DWORD, data: 2, keep: { one_of: [2, 3] } }",
        ),
        (
            "REG_DWORD",
            "value: 2 }\n    schema: { anyOf: [{ minimum: 2, maximum: 9 }, { type: 'null' }] }",
            "v: { type: REG_DWORD, data: 2, keep: { at_least: 2, at_most: 9 }, if_absent: 2 }",
        ),
        (
            "REG_SZ",
            "value: '4' }\n    schema: { maximum: 4 }",
            "v: { type: REG_SZ, data: \"4\", keep: { at_most: 4 } }",
        ),
        (
            "REG_SZ",
            "value: '' }\n    schema: { maxItems: 0 }",
            r#"v: { type: REG_SZ, data: "", keep: { matches: '^[\s,]*$' } }"#,
        ),
        ("REG_MULTI_SZ", "value: [] }\n    schema: { maxItems: 0 }", "v: { type: REG_MULTI_SZ, data: [] }"),
        (
            "REG_SZ",
            "value: 'a' }\n    schema: { not: { oneOf: [{ const: '' }, { const: }] } }",
            "v: { type: REG_SZ, data: a, keep: { not: [\"\"] } }",
        ),
        (
            "REG_SZ",
            "value: 'a' }\n    schema: { not: { const: b } }",
            "v: { type: REG_SZ, data: a, keep: { not: [b] }, if_absent: a }",
        ),
        (
            "REG_SZ",
            "value: 'a,b' }\n    schema: { items: { enum: [a, b] } }",
            "v: { type: REG_SZ, data: \"a,b\", keep: { subset: [a, b], separator: \",\", ignore_case: false } }",
        ),
        (
            "REG_MULTI_SZ",
            "value: [a] }\n    schema: { allOf: [{ contains: { const: a } }] }",
            "v: { type: REG_MULTI_SZ, data: [a], keep: { contains: [a], ignore_case: false } }",
        ),
        (
            "REG_SZ",
            "value: 'a=1,b=1' }\n    schema: { allOf: [{ contains: { const: a=1 } }, { contains: { const: b=1 } }] }",
            "v: { type: REG_SZ, data: \"a=1,b=1\", keep: { contains: [\"a=1\", \"b=1\"], separator: \",\", ignore_case: false } }",
        ),
        (
            "REG_EXPAND_SZ",
            r"value: 'C:\a.log' }
    schema: { pattern: '^C.\\a\.log$' }",
            r"v: { type: REG_EXPAND_SZ, data: 'C:\a.log', keep: { matches: '^C[^\n\r\u2028\u2029]\\a\.log$' } }",
        ),
    ] {
        assert_eq!(become_of(value_type, rest), rule, "{rest}");
    }
}

#[test]
fn what_a_spec_cannot_say_exactly_is_left_out_with_its_reason() {
    for (value_type, rest, why) in [
        ("REG_DWORD", "value: 1 }", "its Microsoft.OSConfig/Test has no `schema`, which describes the acceptable data"),
        (
            "REG_DWORD",
            "value: 1 }\n    expression: value == 1",
            "its Microsoft.OSConfig/Test has an `expression`, which kbfix does not read",
        ),
        (
            "REG_DWORD",
            "value: 1 }\n    expression: value == 1\n    schema: {}",
            "its Microsoft.OSConfig/Test has both `schema` and `expression`",
        ),
        ("REG_DWORD", "value: 1 }\n    schema: {}", "the `schema` of the rule accepts any data"),
        ("REG_DWORD", "value: 1 }\n    schema: true", "the `schema` of the rule is not a mapping"),
        (
            "REG_DWORD",
            "value: 1 }\n    schema: { const: 2 }",
            "the `schema` of the rule does not accept the data in the `value` of the rule",
        ),
        (
            "REG_DWORD",
            "value: }\n    schema: { enum: [1, 2] }",
            "the rule has no `value`, so there is no data to write",
        ),
        (
            "REG_DWORD",
            "value: 1 }\n    schema: { enum: [] }",
            "the `enum` of the rule must be a list with at least one item",
        ),
        (
            "REG_DWORD",
            "value: 4294967296 }\n    schema: { minimum: 1 }",
            "4294967296 is not valid data for a REG_DWORD",
        ),
        ("REG_DWORD", "value: 1 }\n    schema: { const: -1 }", "-1 is not valid data for a REG_DWORD"),
        ("REG_DWORD", "value: 1 }\n    schema: { const: '1' }", "\"1\" is not valid data for a REG_DWORD"),
        (
            "REG_DWORD",
            "value: 1 }\n    schema: { minimum: -1 }",
            "the `minimum` of the rule must be a whole number that is not negative",
        ),
        (
            "REG_DWORD",
            "value: 1 }\n    schema: { pattern: a }",
            "the `schema` of the rule contains `pattern`, which a spec cannot express for a REG_DWORD",
        ),
        (
            "REG_DWORD",
            "value: 2 }\n    schema: { multipleOf: 2 }",
            "the `schema` of the rule contains `multipleOf`, which a spec cannot express for a REG_DWORD",
        ),
        (
            "REG_DWORD",
            "value: 2 }\n    schema: { type: integer }",
            "the `schema` of the rule contains `type`, which a spec cannot express for a REG_DWORD",
        ),
        (
            "REG_DWORD",
            "value: 2 }\n    schema: { const: 2, minimum: 1 }",
            "a spec cannot express the `schema` of the rule, which combines `const`, `minimum`",
        ),
        (
            "REG_DWORD",
            "value: 2 }\n    schema: { anyOf: [{ const: 2 }, { minimum: 5 }] }",
            "a spec cannot express the `anyOf` of the rule",
        ),
        // Data that two alternatives accept is not acceptable to `oneOf`.
        (
            "REG_DWORD",
            "value: 2 }\n    schema: { oneOf: [{ const: 2 }, { enum: [1, 2] }] }",
            "a spec cannot express the `oneOf` of the rule",
        ),
        (
            "REG_DWORD",
            "value: 2 }\n    schema: { oneOf: [{ const: }, { const: }, { const: 2 }] }",
            "a spec cannot express the `oneOf` of the rule",
        ),
        (
            "REG_DWORD",
            "value: 2 }\n    schema: { allOf: [{ const: 2 }, { minimum: 1 }] }",
            "a spec cannot express the `allOf` of the rule",
        ),
        ("REG_DWORD", "value: 2 }\n    schema: { not: { minimum: 3 } }", "a spec cannot express the `not` of the rule"),
        ("REG_SZ", "value: a }\n    schema: { items: { enum: [1] } }", "a spec cannot express the `items` of the rule"),
        (
            "REG_SZ",
            "value: a }\n    schema: { contains: { enum: [a, b] } }",
            "a spec cannot express the `contains` of the rule",
        ),
        (
            "REG_SZ",
            "value: a }\n    schema: { maxItems: 1 }",
            "the `schema` of the rule contains `maxItems`, which a spec cannot express for a REG_SZ",
        ),
        (
            "REG_SZ",
            r"value: a1 }
    schema: { pattern: 'a\d' }",
            r#"kbfix does not translate `\d` in the `pattern` "a\\d""#,
        ),
        (
            "REG_SZ",
            "value: ab }\n    schema: { pattern: '(?=a)b' }",
            "kbfix does not translate `(` in the `pattern` \"(?=a)b\"",
        ),
        (
            "REG_SZ",
            "value: b }\n    schema: { pattern: a }",
            "the `schema` of the rule does not accept the data in the `value` of the rule",
        ),
        ("REG_SZ", "value: a }\n    schema: { pattern: '' }", "the `pattern` of the rule accepts any string"),
        (
            "REG_LINKED",
            "value: a }\n    schema: { const: a }",
            "the spec language does not have the type \"REG_LINKED\"",
        ),
        ("REG_NONE", "value: a }\n    schema: { const: a }", "\"a\" is not valid data for a REG_NONE"),
    ] {
        assert_eq!(become_of(value_type, rest), why, "{rest}");
    }
}

#[test]
fn keys_have_one_name_and_rules_have_ids_of_their_own() {
    let rule = |name: &str, key: &str, value: &str| {
        format!(
            "- {{ {name}type: {REGISTRY}, properties: {{ keyPath: '{key}', valueName: {value}, valueType: REG_DWORD, value: 1 }} }}\n"
        )
    };
    let resources = [
        rule("name: 'A: b', ", r"HKLM:\SOFTWARE\WOW6432Node\A", "v"),
        rule("name: a-B, ", r"HKEY_LOCAL_MACHINE\SOFTWARE\A", "v"),
        rule("name: t, ", r"HKEY_LOCAL_MACHINE:\software\a", "w"),
        rule("name: again, ", r"HKLM\Software\A", "W"),
        rule("", r"HKEY_CURRENT_USER\Software\A", "v"),
        rule("", r"HKXX\A", "v"),
        rule("", r"HKLM\SYSTEM\CurrentControlSet\Services\S", "DependOnService"),
        rule("", r"HKLM\A\\B", "v"),
        format!("- {{ type: {TEST}, properties: {{ resource: {{ type: X/Y }}, schema: {{}} }} }}\n- {{ type: X/Y }}\n"),
        "- { type: Microsoft.OSConfig/Include }\n".to_owned(),
    ];
    let ImportedManifest { spec, rules, imported } = imported(&resources.concat());
    let registry = spec.text.split_once("registry:\n").unwrap().1;
    assert_eq!(
        registry,
        r#"  - key: HKLM\SOFTWARE\A
    view: 32
    values:
      v: { id: A-b, type: REG_DWORD, data: 1, note: "A: b" }
  - key: HKLM\SOFTWARE\A
    values:
      v: { id: a-B-2, type: REG_DWORD, data: 1, note: a-B }
      w: { id: t-2, type: REG_DWORD, data: 1, note: t }
"#
    );
    assert_eq!((rules, imported), (8, 3));
    let messages: Vec<_> = spec.warnings.iter().map(|warning| warning.message.as_str()).collect();
    for part in [
        "\"again\" is left out: an earlier rule of the manifest sets the same value",
        "HKEY_CURRENT_USER is the registry of the account that runs OSConfig",
        "\"HKXX\" is not a root key",
        "Windows reads the dependencies of a service only from a REG_MULTI_SZ; in a value of the type REG_DWORD, they would be lost",
        "2 resources of the type \"X/Y\", which are not imported: kbfix imports only Microsoft.Windows/Registry",
        "1 resource of the type \"Microsoft.OSConfig/Include\", which is not imported: kbfix imports only Microsoft.Windows/Registry",
    ] {
        assert!(messages.iter().any(|message| message.contains(part)), "{part}: {messages:#?}");
    }
    assert_eq!(messages.len(), 7, "{messages:#?}");
}

#[test]
fn what_is_no_manifest_is_refused() {
    for (text, code) in [
        ("", "empty-file"),
        ("resources: {}\n", "wrong-kind"),
        ("resources:\n- name: a\n", "missing-field"),
        ("resources: []\n", "nothing-desired"),
        ("resources:\n- type: X/Y\n", "nothing-desired"),
        ("resources:\n- { type: X/Y, properties: { a: on } }\n", "ambiguous-scalar"),
        ("resources: [\n", "yaml-syntax"),
        ("Windows Registry Editor Version 5.00\r\n", "wrong-kind"),
    ] {
        let found = import("t.osc.yaml", text.as_bytes(), about()).unwrap_err();
        assert!(found.iter().any(|diagnostic| diagnostic.code.as_str() == code), "{text:?}: {found:#?}");
    }
    let large = format!("resources: []\n#{}", " ".repeat(MAX_BYTES));
    let found = import("t.osc.yaml", large.as_bytes(), about()).unwrap_err();
    assert_eq!(found[0].code, Code::FILE_TOO_LARGE);
}

/// Notes about rules that are left out can make a spec larger than its manifest.
#[test]
fn a_spec_that_is_too_large_does_not_hide_why_rules_are_left_out() {
    let text = format!("resources:\n{}", format!("- {{ type: {REGISTRY} }}\n").repeat(12_000));
    let found = import("t.osc.yaml", text.as_bytes(), about()).unwrap_err();
    let is_left_out = |one: &&Diagnostic| one.code == Code::IMPORT_LEFT_OUT;
    assert_eq!(found.iter().filter(is_left_out).count(), 12_000);
    assert_eq!(found.last().unwrap().code, Code::REG_TOO_LARGE);
}
