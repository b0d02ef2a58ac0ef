//! `kbfix library` and `kbfix diff --all`: the whole library in one pass.

use kbfix::spec::library;

use crate::harness::Machine;

#[test]
fn the_list_is_searched_by_what_specs_are_about() {
    let machine = Machine::new();
    let all = machine.run("library").code(0).stdout;
    assert_eq!(all.lines().count(), library::ids().count() + 1, "{all}");
    for (search, is_found) in [
        ("KB909094", true),
        ("disablerealmhint exchange", true),
        ("--key MSExchangeWEB --product 2003", true),
        ("--key DisableRealmHint", false),
    ] {
        let found = machine.run(&format!("library {search}")).code(0);
        let lists = found.stdout.lines().any(|line| line.starts_with("KB909094"));
        assert_eq!(lists, is_found, "{search}: {found:?}");
    }
    let none = machine.run("library no-such-thing").code(0);
    assert_eq!((none.stdout.as_str(), none.stderr.trim_end()), ("0 specs\n", "no built-in spec matches the search"));
    let wrong = machine.run("library --build 7601").code(2).stderr;
    assert!(wrong.contains("`7601` is not a build of Windows"), "{wrong}");
}

#[test]
fn the_whole_library_is_compared_with_a_machine() {
    let machine = Machine::new();
    let uri = format!("reg:{}", machine.path("machine.reg").display());
    let drive = machine.path("C").display().to_string();
    let table = machine.run(&format!("library --for {uri} --files {drive}")).code(0).stdout;
    assert!(
        table.lines().any(|line| line.starts_with("changes pending")
            && line.contains(" KB909094 ")
            && line.ends_with(" 2 changes")),
        "{table}"
    );
    let last = table.lines().last().unwrap();
    assert!(last.starts_with(&format!("{} specs (", library::ids().count())), "{table}");
    let json = machine.run(&format!("library KB909094 --for {uri} --files {drive} --format json")).code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["machine"]["computer_name"], "FRONTEND1");
    assert_eq!(json["specs"][0]["standing"]["outcome"], "changes_pending");
    assert_eq!(json["specs"][0]["standing"]["changes"], 2);

    let all = machine.run("diff --all @target").code(4).stdout;
    assert!(
        all.contains("KB909094: changes pending\n") && all.contains("+\"DisableRealmHint\"=dword:00000001"),
        "{all}"
    );
    assert_eq!(all.lines().last(), Some(last));
    machine.run("diff --all KB909094 @target").code(2);
}
