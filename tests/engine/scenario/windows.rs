//! The keys and values that tell the version of Windows.

/// Returns the keys that tell the version of Windows, in the notation of an export.
pub(super) fn keys(text: &str) -> String {
    let mut words = text.split(' ');
    let version: Vec<&str> = words.next().unwrap().split('.').collect();
    let [major, minor, build, rest @ ..] = version.as_slice() else { panic!("{text}: no version") };
    let current = if *major == "10" { "6.3".to_owned() } else { format!("{major}.{minor}") };
    let mut out = format!(
        "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n\"SystemRoot\"=\"C:\\\\Windows\"\n\
         \"CurrentVersion\"=\"{current}\"\n\"CurrentBuildNumber\"=\"{build}\"\n"
    );
    if *major == "10" {
        out.push_str("\"CurrentMajorVersionNumber\"=dword:0000000a\n\"CurrentMinorVersionNumber\"=dword:00000000\n");
        let revision: u32 = rest.first().unwrap_or(&"1").parse().unwrap();
        out.push_str(&format!("\"UBR\"=dword:{revision:08x}\n"));
    }
    let (mut product, mut processor) = ("WinNT", "AMD64");
    for word in words {
        match word {
            "client" => product = "WinNT",
            "server" => product = "ServerNT",
            "dc" => product = "LanmanNT",
            "x86" => processor = "x86",
            "x64" => processor = "AMD64",
            _ => {
                let number = word.strip_prefix("SP").unwrap_or_else(|| panic!("{text}: {word}"));
                out.push_str(&format!("\"CSDVersion\"=\"Service Pack {number}\"\n"));
            }
        }
    }
    out.push_str(&format!(
        "\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\ProductOptions]\n\"ProductType\"=\"{product}\"\n\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment]\n\
         \"PROCESSOR_ARCHITECTURE\"=\"{processor}\"\n\n"
    ));
    out
}
