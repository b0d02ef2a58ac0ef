//! Finds names that Windows displays (of services, editions and Windows versions) in fields of a spec that need the
//! internal name.

use crate::diag::{Code, text::shorten};

use super::{Context, Part, Path, names};

/// Display names of services, as the Services window and articles show them, each with the internal name. This table is
/// only used for warnings.
///
/// Source: Microsoft, "Guidance on disabling system services on Windows Server 2016 with Desktop Experience". The
/// services of server roles and of Windows Server 2003 are from general knowledge, without a source.
const SERVICES: [(&str, &str); 20] = [
    ("Background Intelligent Transfer Service", "BITS"),
    ("Certificate Propagation", "CertPropSvc"),
    ("Cryptographic Services", "CryptSvc"),
    ("DHCP Client", "Dhcp"),
    ("DHCP Server", "DHCPServer"),
    ("DNS Client", "Dnscache"),
    ("DNS Server", "DNS"),
    ("IIS Admin Service", "IISADMIN"),
    ("Internet Information Services", "IISADMIN"),
    ("Kerberos Key Distribution Center", "Kdc"),
    ("Net Logon", "Netlogon"),
    ("Print Spooler", "Spooler"),
    ("Remote Desktop Services", "TermService"),
    ("Remote Registry", "RemoteRegistry"),
    ("Server", "LanmanServer"),
    ("Terminal Services", "TermService"),
    ("Windows Time", "W32Time"),
    ("Windows Update", "wuauserv"),
    ("Workstation", "LanmanWorkstation"),
    ("World Wide Web Publishing Service", "W3SVC"),
];

/// Marketing names of editions of Windows, each with its `EditionID`. This table is only used for warnings. It is from
/// general knowledge, without a source at Microsoft.
const EDITIONS: [(&str, &str); 7] = [
    ("Home", "Core"),
    ("Pro", "Professional"),
    ("Business", "Business"),
    ("Enterprise", "Enterprise"),
    ("Education", "Education"),
    ("Standard", "ServerStandard"),
    ("Datacenter", "ServerDatacenter"),
];

/// Names of Windows versions and releases, each with the version number. This table is only used for hints.
///
/// Source for 5.0 to 6.3: Microsoft, "Operating System Version". The builds of the releases of 10.0 are from general
/// knowledge, without a source.
const VERSIONS: [(&str, &str); 27] = [
    ("7", "6.1"),
    ("8", "6.2"),
    ("8.1", "6.3"),
    ("11", "10.0.22000"),
    ("2000", "5.0"),
    ("2003", "5.2"),
    ("2008", "6.0"),
    ("2012", "6.2"),
    ("2016", "10.0.14393"),
    ("2019", "10.0.17763"),
    ("2022", "10.0.20348"),
    ("2025", "10.0.26100"),
    ("1507", "10.0.10240"),
    ("1511", "10.0.10586"),
    ("1607", "10.0.14393"),
    ("1703", "10.0.15063"),
    ("1709", "10.0.16299"),
    ("1803", "10.0.17134"),
    ("1809", "10.0.17763"),
    ("1903", "10.0.18362"),
    ("1909", "10.0.18363"),
    ("2004", "10.0.19041"),
    ("20H2", "10.0.19042"),
    ("21H1", "10.0.19043"),
    ("23H2", "10.0.22631"),
    ("24H2", "10.0.26100"),
    ("25H2", "10.0.26200"),
];

fn find(table: &[(&str, &'static str)], shown: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| known.eq_ignore_ascii_case(shown)).map(|(_, meant)| *meant)
}

/// Warns about each service whose name is a known display name or contains a space, and about suspicious characters in
/// service names.
pub(super) fn services(cx: &mut Context<'_>, services: &[String], path: &Path) {
    for (at, service) in services.iter().enumerate() {
        names::check(cx, service, &path.item(at), Part::Data);
        let hint = match find(&SERVICES, service) {
            Some(meant) => format!("write `{meant}`"),
            // Few service names contain a space, and few display names do not.
            None if service.contains(' ') => {
                "write the internal name: the name of the service's key below HKLM\\SYSTEM\\CurrentControlSet\\Services"
                    .to_owned()
            }
            None => continue,
        };
        let message = format!("`{}` looks like the display name of a service, not its internal name", shorten(service));
        cx.warning(Code::DISPLAY_NAME, &path.item(at), Part::Data, message, hint);
    }
}

/// Warns about each edition that looks like a displayed name and not like an `EditionID`: a known marketing name such
/// as `Home`, with or without words such as `Windows 10` before it, or another name that contains a space.
pub(super) fn editions(cx: &mut Context<'_>, editions: &[String], path: &Path) {
    for (at, edition) in editions.iter().enumerate() {
        let name = edition.rsplit_once(|c: char| c == ' ' && edition.starts_with("Windows"));
        let meant = find(&EDITIONS, name.map_or(edition.as_str(), |(_, last)| last));
        if meant.is_some_and(|meant| meant.eq_ignore_ascii_case(edition)) || meant.is_none() && !edition.contains(' ') {
            continue;
        }
        let message = format!("`{}` looks like a name that Windows displays, not like an EditionID", shorten(edition));
        let hint = match meant {
            Some(meant) => format!("write `{meant}`"),
            None => r"write the EditionID of such a Windows, from HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
                .to_owned(),
        };
        cx.warning(Code::DISPLAY_NAME, &path.item(at), Part::Data, message, hint);
    }
}

/// Returns the version number that `text`, the name or the build of a Windows version, probably means; `None` if kbfix
/// does not know the name or build.
pub(super) fn version(text: &str) -> Option<String> {
    if let Some(meant) = find(&VERSIONS, text) {
        return Some(meant.to_owned());
    }
    let build = text.strip_prefix("10.").map_or(text, |rest| rest.strip_prefix("0.").unwrap_or(rest));
    let first = build.split('.').next()?;
    // A release after `10.`, as in 10.0.1809.
    if let Some(meant) = find(&VERSIONS, first).filter(|_| build.len() < text.len() && first.len() == 4) {
        return Some(meant.to_owned());
    }
    let (major, minor) = match first.parse::<u32>().ok()? {
        10240.. => (10, 0),
        2195 => (5, 0),
        2600 => (5, 1),
        3790 => (5, 2),
        6000..=6003 => (6, 0),
        7600 | 7601 => (6, 1),
        9200 => (6, 2),
        9600 => (6, 3),
        _ => return None,
    };
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u32>().is_ok();
    // Only one number can follow the build. Other text after it is left out.
    let revision = build.split_once('.').map(|(_, rest)| rest).filter(|rest| is_number(rest));
    Some(format!("{major}.{minor}.{first}{}", revision.map(|number| format!(".{number}")).unwrap_or_default()))
}
