//! Tests the Windows version of the target, which its registry contains.

use super::lookup;
use crate::{
    observe::Reader,
    registry::{Data, Decoded},
    spec::{document::Product, model::OsTest},
    targets::{Reason, Unread},
};

use super::{Evidence, Truth, expand::WINDOWS_NT};

/// Tests the version, edition, product and service pack of the target's Windows, as far as `test` names them. Adds each
/// tested fact to `evidence`.
pub(super) fn holds(test: &OsTest, reader: &Reader<'_>, evidence: &mut Vec<Evidence>) -> Truth {
    let mut truths = Vec::new();
    let mut add = |place: &str, wanted: String, found: Result<Option<(String, bool)>, Unread>| {
        let (found, result) = match found {
            Ok(Some((found, holds))) => (found, Truth::of(holds)),
            Ok(None) => ("absent".to_owned(), Truth::Unmet),
            Err(why) => (why.to_string(), Truth::Unknown),
        };
        truths.push(result);
        evidence.push(Evidence { place: place.to_owned(), wanted, found, result, planned_by: None });
    };
    let dotted = |v: [u32; 4]| v.map(|n| n.to_string()).join(".");
    if test.at_least.is_some() || test.below.is_some() {
        let mut wanted = Vec::new();
        wanted.extend(test.at_least.map(|v| format!("{} or later", dotted(v))));
        wanted.extend(test.below.map(|v| format!("below {}", dotted(v))));
        let found = os_version(reader).map(|version| {
            version.map(|v| {
                (dotted(v), test.at_least.is_none_or(|least| v >= least) && test.below.is_none_or(|below| v < below))
            })
        });
        add("Windows version", wanted.join(" and "), found);
    }
    if !test.editions.is_empty() {
        let found = os_text("EditionID", reader).map(|text| {
            text.map(|t| {
                let holds = test.editions.iter().any(|e| e.eq_ignore_ascii_case(&t));
                (t, holds)
            })
        });
        add("Windows edition", test.editions.join(" or "), found);
    }
    if !test.products.is_empty() {
        let wanted = test.products.iter().map(|p| product_name(*p)).collect::<Vec<_>>().join(" or ");
        let found =
            lookup::text(r"SYSTEM\CurrentControlSet\Control\ProductOptions", "ProductType", reader).map(|text| {
                text.map(|t| {
                    let holds = test.products.iter().any(|p| product_type(*p).eq_ignore_ascii_case(&t));
                    (t, holds)
                })
            });
        add("Windows product", wanted, found);
    }
    if let Some(least) = test.service_pack {
        let found = os_text("CSDVersion", reader).and_then(|text| match text {
            None => Ok(Some(("none".to_owned(), least == 0))),
            Some(text) => {
                let number = service_pack(&text).ok_or_else(|| {
                    Unread::new(Reason::Unsupported, format!("CSDVersion is `{text}`, which is not a service pack"))
                })?;
                Ok(Some((text, number >= least)))
            }
        });
        add("Windows service pack", format!("{least} or higher"), found);
    }
    Truth::all(truths)
}

/// Reads the version of Windows as four numbers: major, minor, build and update revision. A missing build or update
/// revision counts as 0. Returns `None` if the registry contains no major and minor number.
///
/// Windows 10 and later have separate values for the major and minor number. Earlier versions have both numbers in
/// `CurrentVersion`. In Windows 10 and later, `CurrentVersion` is always 6.3, for old programs.
fn os_version(reader: &Reader<'_>) -> Result<Option<[u32; 4]>, Unread> {
    let number = |name: &str| {
        let is_number = |data: &Data| match data.decode() {
            Decoded::Number(number) => u32::try_from(number).ok(),
            _ => None,
        };
        lookup::read(WINDOWS_NT, name, "a number", is_number, reader)
    };
    // Request all of them before examining any, so that they are read in one batch.
    let (major, minor, revision) =
        (number("CurrentMajorVersionNumber"), number("CurrentMinorVersionNumber"), number("UBR"));
    let is_version = |data: &Data| {
        let text = data.as_read_text()?;
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    let version = lookup::read(WINDOWS_NT, "CurrentVersion", "a version", is_version, reader);
    let is_build = |data: &Data| data.as_read_text()?.parse().ok();
    let build = lookup::read(WINDOWS_NT, "CurrentBuildNumber", "a build number", is_build, reader);
    let (build, revision) = (build?.unwrap_or(0), revision?.unwrap_or(0));
    if let (Some(major), Some(minor)) = (major?, minor?) {
        return Ok(Some([major, minor, build, revision]));
    }
    Ok(version?.map(|(major, minor)| [major, minor, build, revision]))
}

/// Returns the number in `Service Pack 2`, or in `Service Pack 2, v.3244` (the form in test versions of Windows);
/// `None` for a text that does not begin in this way.
fn service_pack(text: &str) -> Option<u32> {
    let number = text.trim().strip_prefix("Service Pack ")?;
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number.get(..end)?.parse().ok()
}

fn os_text(name: &str, reader: &Reader<'_>) -> Result<Option<String>, Unread> {
    lookup::text(WINDOWS_NT, name, reader)
}

fn product_type(product: Product) -> &'static str {
    match product {
        Product::Client => "WinNT",
        Product::Server => "ServerNT",
        Product::DomainController => "LanmanNT",
    }
}

fn product_name(product: Product) -> &'static str {
    match product {
        Product::Client => "client (WinNT)",
        Product::Server => "server (ServerNT)",
        Product::DomainController => "domain controller (LanmanNT)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_packs_have_numbers() {
        let numbers =
            ["Service Pack 2", "Service Pack 1, v.721", "Service Pack 10", "", "Feature Pack 2", "Service Pack"];
        assert_eq!(numbers.map(service_pack), [Some(2), Some(1), Some(10), None, None, None]);
    }
}
