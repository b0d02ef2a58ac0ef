//! Tests what `kbfix diff` shows in each format, and that it changes nothing.

use crate::harness::Machine;

#[test]
fn it_shows_what_was_tested_and_a_unified_diff() {
    let run = Machine::new().run("diff KB909094 @target").code(1);
    assert_eq!(run.stderr, "");
    insta::assert_snapshot!(run.stdout, @r#"
    KB909094: changes pending
      Event ID 1000 is logged when you configure Kerberos authentication between front-end and back-end servers that are running Exchange Server 2003
      applicable    met
                    HKLM\SOFTWARE\Microsoft\Exchange\Setup "Services Version"
                    found REG_DWORD 65 (0x41), wanted 65
      cause         met     A disjoint DNS namespace
                    HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters "NV Domain"
                    found REG_SZ "region1.country.example.com", wanted present
                    HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters "NV Domain"
                    found REG_SZ "region1.country.example.com", wanted not: the data of HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Group Policy\History "MachineDomain", which is REG_SZ "country.example.com", in any letter case
      prerequisite  met     Exchange Server 2003 Service Pack 2 (KB836993)
                    HKLM\SOFTWARE\Microsoft\Exchange\Setup "ServicePackNumber"
                    found REG_DWORD 2 (0x2), wanted 2 or higher
      hotfix        met     KB909094
                    C:\Program Files\Exchsrvr\bin\exprox.dll
                    found 6.5.7651.19 (x86), wanted 6.5.7651.19 or later (x86)
      parameter     realm_hint = 1
    --- FRONTEND1 (actual state)
    +++ FRONTEND1 (desired state)
    @@ [HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV] @@
    +[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV]
    +"DisableRealmHint"=dword:00000001
      restart       the computer need not be restarted; services to restart: IISADMIN
                    The article says that the hotfix needs no restart of the computer, and does not mention a restart for the value. The text of the event says that IIS may have to be restarted on both the front-end and the back-end servers; IISADMIN with the services that depend on it (W3SVC among them), and that no restart of the computer is needed, is inference.

    1 key to create, 1 value to create
    plan [DIGEST]
    "#);
}

#[test]
fn files_on_a_drive_that_an_export_cannot_have_are_named_with_that_drive() {
    let machine = Machine::new();
    machine.write(
        "kb.yaml",
        "kbfix: 1\nid: KB1\ntitle: T\napplicable: { file: { path: 'D:\\app\\x.dll', exists: true } }\nregistry:\n  \
         - { key: HKLM\\SOFTWARE\\Test, values: { N: { type: REG_SZ, data: x } } }\n",
    );
    let reg = format!("diff @/kb.yaml --target reg:{}", machine.path("machine.reg").display());
    for line in [&*reg, "diff @/kb.yaml @target"] {
        let run = machine.run(line).code(4).says("files-not-given]: files of drive D were not read");
        let run = run.says("kbfix reads only files of drive C for an export");
        assert!(!run.stderr.contains("--files"), "{}", run.stderr);
    }
    let reg = reg.replace("@/kb.yaml", "KB909094");
    machine.run(&reg).code(4).says("files of drive C were not read").says("(--files DIR)");
}

/// Also where a check above is about the key that the reason's key is below.
#[test]
fn why_nothing_can_be_said_is_shown() {
    let machine = Machine::new();
    machine.set_export("\u{feff}Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\n");
    machine.write(
        "spec.yaml",
        "kbfix: 1\nid: R\ntitle: T\nprerequisites:\n  - { title: it is there, registry: { key: HKLM\\SOFTWARE } }\n\
         registry:\n  - { key: HKLM\\SOFTWARE\\U, values: { v: { type: REG_DWORD, data: 1 } } }\n",
    );
    let run = machine.run("diff @/spec.yaml @target").code(4);
    insta::assert_snapshot!(run.stdout, @r#"
    R: unknown
      T
      prerequisite  met     it is there
                    HKLM\SOFTWARE
                    found present, wanted the key exists
      because       HKLM\SOFTWARE\U "v": unknown: the export does not cover HKLM\SOFTWARE\U
    "#);
    let shown = machine.run("diff KB909094 @target").code(4).stdout;
    assert!(!shown.contains("because"), "the checks say it already: {shown}");
}

const TWO_RULES: &str = r#"kbfix: 1
id: R
title: T
prerequisites:
  - title: one of two
    any:
      - { registry: { key: HKLM\SOFTWARE, name: nope, equals: 1 } }
      - { registry: { key: HKLM\SOFTWARE } }
  - { title: a file, file: { path: 'C:\Program Files\Exchsrvr\bin\exprox.dll', platform: x86 } }
registry:
  - { key: HKLM\SOFTWARE\Nope\*, values: { x: { type: REG_DWORD, data: 1 } } }
  - { key: HKLM\SOFTWARE\A, values: { x: { type: REG_DWORD, data: 1, when: { registry: { key: HKLM\SOFTWARE\B } } } } }
restart:
  computer: never
  note: |
    First line.

    Second line.
"#;

#[test]
fn rules_that_do_not_count_here_leave_a_trace() {
    let machine = Machine::new();
    let export =
        |keys: &str| format!("\u{feff}Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\n{keys}");
    machine.write("spec.yaml", TWO_RULES);
    machine.set_export(&export(""));
    let run = machine.run("diff @/spec.yaml @target").code(0);
    insta::assert_snapshot!(run.stdout, @r#"
    R: in desired state
      T
      prerequisite  met     one of two
                    HKLM\SOFTWARE "nope"
                    found absent, wanted 1; unmet by itself
                    HKLM\SOFTWARE
                    found present, wanted the key exists
      prerequisite  met     a file
                    C:\Program Files\Exchsrvr\bin\exprox.dll
                    found present (x86), wanted present (x86)
      registry      0 of 2 rules apply here
    "#);
    let report = machine.run("diff @/spec.yaml @target --format json").code(0).json();
    assert_eq!(report["specs"][0]["rules"], serde_json::json!({ "here": 0, "of": 2 }));
    for format in ["markdown", "html"] {
        let run = machine.run(&format!("diff @/spec.yaml @target --format {format}")).code(0);
        run.says("0 of 2 rules apply here").says("unmet by itself");
    }

    machine.set_export(&export("[HKEY_LOCAL_MACHINE\\SOFTWARE\\B]\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Nope\\a]\n"));
    let run = machine.run("diff @/spec.yaml @target").code(1);
    assert!(!run.stdout.contains("apply here"), "{}", run.stdout);
    run.says("                First line.\n                Second line.\n");
    machine.edit(&[("SOFTWARE\\B]", "SOFTWARE\\C]")]);
    machine.run("diff @/spec.yaml @target").code(1).says("  registry      1 of 2 rules apply here\n  restart");
}

#[test]
fn the_reg_format_is_a_script_that_makes_the_changes() {
    let machine = Machine::with_dav("\"DisableRealmHint\"=\"1\"");
    let output = machine.command("diff KB909094 --format reg @target").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let units: Vec<u16> = output.stdout.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    assert_eq!(
        String::from_utf16(&units).unwrap().trim_end(),
        "\u{FEFF}Windows Registry Editor Version 5.00\r\n\
         ; made by kbfix diff; importing it makes the changes without a journal\r\n\r\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\DAV]\r\n\
         ; was \"1\"\r\n\
         \"DisableRealmHint\"=dword:00000001"
    );
}

#[test]
fn markdown_holds_the_diff_in_a_fence() {
    let run = Machine::new().run("diff KB909094 --format markdown @target").code(1);
    assert!(run.stdout.contains("```diff"), "{}", run.stdout);
    assert!(run.stdout.contains("+\"DisableRealmHint\"=dword:00000001"));
}

#[test]
fn what_a_machine_holds_cannot_forge_lines_or_steer_the_terminal() {
    let machine =
        Machine::with_dav("\"DisableRealmHint\"=hex(1):1b,00,5b,00,33,00,31,00,6d,00,0a,00,2b,00,2b,00,00,00");
    for format in ["human", "markdown"] {
        let run = machine.run(&format!("diff KB909094 --format {format} @target")).code(1);
        assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
        assert!(!run.stdout.lines().any(|line| line.trim_start().starts_with("++\"") || line == "++"), "{run:?}");
    }
}

#[test]
fn a_spec_may_come_from_standard_input_a_file_a_folder_or_the_library() {
    let machine = Machine::new();
    let spec = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/specs/KB909094.yaml")).unwrap();
    let library = machine.run("diff KB909094 --format json @target").code(1).json();
    std::fs::create_dir(machine.path("specs")).unwrap();
    machine.write("specs/KB909094.yaml", &spec);
    for line in ["diff @/specs/KB909094.yaml", "diff @/specs", "diff -", "plan -"] {
        let run = machine.run_with(&format!("{line} --format json @target"), &spec).code(1).json();
        assert_eq!(run["specs"][0]["changes"], library["specs"][0]["changes"], "{line}");
    }
    let list = serde_json::json!([{ "name": "a.yaml", "text": spec }]).to_string();
    machine.run_with("diff --stdin-specs @target", &list).code(1);
    machine.run("diff KB1 @target").code(2).says("`kbfix library` lists the built-in specs");
    machine.run("diff @target").code(2).says("no spec is named");
}

#[test]
fn a_list_for_a_parameter_may_be_piped_as_one() {
    let machine = Machine::new();
    let spec = "kbfix: 1\nid: T\ntitle: T\nparameters: { names: { description: d, type: list }, one: { description: d, default: a } }\n\
                registry:\n  - key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\OWA\n    values:\n      Names: { type: REG_MULTI_SZ, data: { parameter: names } }\n      \
                One: { type: REG_SZ, data: { parameter: one } }\n";
    let piped = |parameters: serde_json::Value| {
        serde_json::json!({ "specs": [{ "name": "t.yaml", "text": spec }], "parameters": parameters }).to_string()
    };
    let line = "diff --stdin-specs --format json @target";
    let run = machine.run_with(line, &piped(serde_json::json!({ "names": ["a,b", "c"] }))).code(1).json();
    assert_eq!(run["specs"][0]["changes"][0]["values"][0]["after"]["bytes"], "61002c0062000000630000000000");
    let text = machine.run_with(line, &piped(serde_json::json!({ "names": "a,b" }))).code(1).json();
    assert_eq!(text["specs"][0]["changes"][0]["values"][0]["after"]["bytes"], "61000000620000000000");
    let wrong = piped(serde_json::json!({ "names": [], "one": ["a"] }));
    let refused = machine.run_with(line, &wrong).code(2).json();
    assert_eq!(refused["diagnostics"][0]["code"], "setting-not-allowed");
    assert_eq!(refused["diagnostics"][0]["message"], "the parameter `one` is set to a list, but must be a string");
}

#[test]
fn markdown_and_html_say_all_that_the_ticket_needs() {
    let machine = Machine::new();
    let diff = |format: &str| machine.run(&format!("diff KB909094 --max-changes 0 @target --format {format}")).code(1);
    diff("markdown")
        .says("parameter realm\\_hint = 1")
        .says("Restart: the computer need not be restarted; services to restart: IISADMIN. The article");
    diff("html").says("parameter realm_hint = 1").says("services to restart: IISADMIN. The article");
    machine.write("r.yaml", "kbfix: 1\nid: R\ntitle: T\nregistry:\n  - key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\*\n    values: { A: { type: REG_DWORD, data: 1 } }\nrestart: { computer: required }\n");
    let wide = "diff @/r.yaml --max-changes 0 @target --format markdown";
    machine.run(wide).code(1).says("Restart: the computer must be restarted").says("- **too-many-changes**: R: ");
}

#[test]
fn a_digest_without_a_plan_is_refused_and_its_letters_have_no_case() {
    let machine = Machine::new();
    for command in ["diff", "apply"] {
        machine.run(&format!("{command} KB909094 --digest sha256:00 @target")).code(2).says("without `--plan`");
    }
    machine.run("diff KB909094 @target --out @/p.json").code(1);
    let plan: serde_json::Value = serde_json::from_str(&machine.read("p.json")).unwrap();
    let digest = plan["digest"].as_str().unwrap().to_uppercase();
    machine.run(&format!("diff --plan @/p.json --digest {digest} @target")).code(1);
}

#[test]
fn a_reg_file_says_what_it_leaves_out() {
    let machine = Machine::new();
    machine.set_dll([6, 5, 7638, 1]);
    let output = machine.command("diff KB909094 --format reg @target").output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let units: Vec<u16> = output.stdout.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).unwrap();
    assert!(text.contains("; KB909094: left out, blocked: hotfix KB909094: ") && !text.contains('['), "{text}");
}

#[test]
fn what_is_wrong_with_standard_input_is_said() {
    let machine = Machine::new();
    for (input, says) in [
        ("[{ \"name\": \"a\" }]", "the member `text` is missing"),
        ("{ \"specs\": [], \"parameter\": {} }", "the member `parameter` is not known"),
        ("3", "neither a list of specs nor an object"),
        ("{", "the text ends too early"),
        (&" ".repeat((64 << 20) + 1), "has more than 67108864 bytes"),
    ] {
        let run = machine.run_with("diff --stdin-specs @target", input).code(2).says(says);
        assert!(!run.stderr.contains("Piped"), "{}", run.stderr);
    }
}

#[test]
fn standard_input_is_read_only_once() {
    let machine = Machine::new();
    let spec = include_str!("../../specs/KB909094.yaml");
    for line in [
        "validate - -",
        "diff - - @target",
        "diff - --stdin-specs @target",
        "retire --absent --specs - --specs - @target @state",
        "fleet impact - --base - --fleet @/fleet.yaml",
    ] {
        machine.write("fleet.yaml", "kbfix_fleet: 1\nmachines:\n  a: { target: \"snapshot:a.json\" }\n");
        let input = if line.contains("stdin") { "[]" } else { spec };
        machine.run_with(line, input).code(2).says("usage").says("standard input is requested twice");
    }
}

/// A trigger is written only on request, and a plan that was made with the request can be applied.
#[test]
fn a_trigger_is_asked_for_by_the_spec_s_id() {
    let machine = Machine::new();
    machine.set_export("\u{feff}Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\n");
    let key = r"HKLM\SOFTWARE\T";
    let spec = |trigger: &str| {
        format!(
            "kbfix: 1\nid: R\ntitle: T\nregistry:\n  - key: {key}\n{trigger}    values: {{ v: {{ type: REG_DWORD, data: 1 }} }}\n"
        )
    };
    machine.write("spec.yaml", &spec("    trigger: { done_when: { registry: { key: ., name: done } } }\n"));
    machine.write("other.yaml", &spec("").replace("id: R", "id: O").replace(r"\T", r"\U"));
    let asked = machine.run("diff @/spec.yaml @target").code(4);
    assert!(
        asked.stdout.contains("because       a trigger is not done, and kbfix writes it only with `--trigger R`"),
        "{asked:?}"
    );
    let shown = machine.run("diff @/spec.yaml --trigger r @target").code(1).stdout;
    assert!(shown.contains("trigger       unmet") && shown.contains("+\"v\"=dword:00000001"), "{shown}");
    // If the request was made, a trigger is not a reason for blocking the spec.
    let missing = r"prerequisites: [{ title: X, registry: { key: HKLM\SOFTWARE\Missing } }]";
    machine
        .write("blocked.yaml", &machine.read("spec.yaml").replace("registry:\n", &format!("{missing}\nregistry:\n")));
    let reasons = |option: &str| {
        let line = format!("diff @/blocked.yaml {option} @target --format json");
        machine.run(&line).code(4).json()["specs"][0]["reasons"].as_array().unwrap().clone()
    };
    let requested = reasons("--trigger R");
    assert!(requested.len() == 1 && requested[0].as_str().unwrap().contains(r"SOFTWARE\Missing"), "{requested:?}");
    assert_eq!(reasons("").last().unwrap(), "a trigger is not done, and kbfix writes it only with `--trigger R`");
    std::fs::create_dir(machine.path("fleet")).unwrap();
    machine.run("snapshot @/spec.yaml @target --out @/fleet/FE1.json").code(0);
    machine.run("fleet diff @/spec.yaml --snapshots @/fleet").code(4).says("only with `--trigger R`");
    machine.run("fleet diff @/spec.yaml --snapshots @/fleet --trigger r").code(1).says("+\"v\"=dword:00000001");
    machine.run("fleet plan @/spec.yaml --snapshots @/fleet --trigger R --out @/fleet-plan.json").code(1);
    machine
        .run("fleet diff @/spec.yaml --snapshots @/fleet --trigger X")
        .code(2)
        .says("no spec of this run has that id");
    let unknown = machine.run("diff @/spec.yaml --trigger X @target").code(2).stderr;
    assert!(unknown.contains("--trigger X: no spec of this run has that id"), "{unknown}");
    let none = machine.run("diff @/other.yaml --trigger O @target").code(2).stderr;
    assert!(none.contains("--trigger O: the spec O defines no trigger"), "{none}");
}

#[test]
fn a_policy_file_or_gpt_ini_that_is_too_large_is_said() {
    let machine = Machine::new();
    let key = r"HKLM\SOFTWARE\Policies\Example";
    let values = "values: { A: { type: REG_DWORD, data: 1 } }";
    machine.write("t.yaml", &format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: {key}\n    {values}\n"));
    let size = |file: &str, size| {
        std::fs::write(machine.path(file), b"PReg\x01\0\0\0").unwrap();
        std::fs::File::options().write(true).open(machine.path(file)).unwrap().set_len(size).unwrap();
    };
    std::fs::create_dir(machine.path("Machine")).unwrap();
    size("Machine/Registry.pol", (16 << 20) + 1);
    let look = "diff @/t.yaml --target pol:@/Machine/Registry.pol";
    machine.run(look).code(3).says("target-unreadable").says("more than 16777216 bytes").says("the right file");
    machine.run("import @/Machine/Registry.pol").code(2).says("reg-too-large").says("at most 16777216 bytes");
    size("Machine/Registry.pol", 1 << 30);
    machine.run("import @/Machine/Registry.pol").code(2).says("reg-too-large");
    std::fs::write(machine.path("Machine/Registry.pol"), b"PReg\x01\0\0\0").unwrap();
    size("gpt.ini", (1 << 20) + 1);
    machine.run(look).code(1).says("cannot-apply").says("more than 1048576 bytes");
    let apply = "apply @/t.yaml --target pol:@/Machine/Registry.pol @state";
    machine.run(apply).code(5).says("nothing was changed").says("more than 1048576 bytes");
    std::fs::remove_file(machine.path("gpt.ini")).unwrap();
    machine.run(apply).code(0);
    size("gpt.ini", (1 << 20) + 1);
    machine.run(look).code(0).says("it is not known whether Windows processes").says("more than 1048576 bytes");
}

#[test]
fn a_policy_file_that_does_not_exist_is_said() {
    let machine = Machine::new();
    let key = r"HKLM\SOFTWARE\Policies\Example";
    let values = "values: { A: { type: REG_DWORD, data: 1 } }";
    machine.write("t.yaml", &format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: {key}\n    {values}\n"));
    let look = "diff @/t.yaml --target pol:@/Registry.poll";
    machine.run(look).code(1).says("policy-file-missing").says("Registry.poll does not exist");
    assert!(!machine.path("Registry.poll").exists());
    machine.run("apply @/t.yaml --target pol:@/Registry.poll @state").code(0).says("policy-file-missing");
    let again = machine.run("diff @/t.yaml --target pol:@/Registry.poll").code(0);
    assert!(!again.stderr.contains("policy-file-missing") && !again.stdout.contains("policy-file-missing"));
}
