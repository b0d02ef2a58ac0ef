//! Interprets an unquoted scalar as readers of YAML 1.1 do, such as PyYAML.
//!
//! Sources: the YAML 1.1 type repository (bool, int, float, timestamp, merge, value); PyYAML's resolver.py and
//! constructor.py.

use super::reading::{Reading, signed, special_float};

/// Returns how readers of YAML 1.1 interpret the unquoted `text`.
pub(super) fn yaml11(text: &str) -> Reading {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Reading::Null,
        "<<" | "=" => return Reading::Special,
        _ => {}
    }
    // `y` and `n` are not in this list. The type repository of YAML 1.1 contains them, but PyYAML, which Ansible uses,
    // reads them as text.
    let words = ["yes", "no", "true", "false", "on", "off"];
    if words.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        let mut rest = text.chars().skip(1);
        let first_only = rest.clone().all(|c| c.is_ascii_lowercase());
        let all_upper = rest.all(|c| c.is_ascii_uppercase()) && text.starts_with(|c: char| c.is_ascii_uppercase());
        return if first_only || all_upper { Reading::Bool } else { Reading::Text };
    }
    if let Some(special) = special_float(text) {
        return special;
    }
    if is_day(text) || is_time(text) {
        return Reading::Time;
    }
    let (sign, digits) = signed(text);
    let number = |digits: &str, radix: u32| {
        let fits = !digits.is_empty() && digits.chars().all(|c| c == '_' || c.is_digit(radix));
        let digits = digits.replace('_', "");
        fits.then(|| Reading::Int(i128::from_str_radix(&digits, radix).ok().map(|n| sign * n)))
    };
    for (prefix, radix) in [("0b", 2), ("0x", 16)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return number(digits, radix).unwrap_or(Reading::Text);
        }
    }
    let decimal = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'_')
    };
    if decimal(digits) {
        let octal = digits.len() > 1 && digits.starts_with('0');
        // The leading zero is kept: `0_` is 0.
        let reading = number(digits, if octal { 8 } else { 10 });
        return reading.unwrap_or(Reading::Text);
    }
    if let Some(sexagesimal) = sexagesimal(digits) {
        return match sexagesimal {
            Reading::Int(Some(n)) => Reading::Int(Some(sign * n)),
            other => other,
        };
    }
    // A number with a fraction needs a dot, and its exponent needs a sign.
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "+0"));
    let exponent =
        exponent.strip_prefix(['+', '-']).is_some_and(|e| !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit()));
    let is_float = exponent
        && mantissa.split_once('.').is_some_and(|(whole, rest)| {
            let rest_fits = rest.bytes().all(|b| b.is_ascii_digit() || b == b'_');
            if whole.is_empty() {
                rest_fits && rest.starts_with(|c: char| c.is_ascii_digit())
            } else {
                rest_fits && decimal(whole)
            }
        });
    if is_float { Reading::Float } else { Reading::Text }
}

/// Parses a number in base 60: in YAML 1.1, `1:30` is 90, and `1:30.5` is 90.5. Returns `None` for other text.
fn sexagesimal(digits: &str) -> Option<Reading> {
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let (first, rest) = whole.split_once(':')?;
    let first_fits = first.starts_with(|c: char| c.is_ascii_digit())
        && (fraction.is_some() || !first.starts_with('0'))
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut value: Option<i128> = first.replace('_', "").parse().ok();
    for part in rest.split(':') {
        let number =
            part.parse::<i128>().ok().filter(|n| *n < 60 && part.len() <= 2 && !part.starts_with(['+', '-']))?;
        value = value.and_then(|v| v.checked_mul(60)?.checked_add(number));
    }
    if !first_fits {
        return None;
    }
    match fraction {
        None => Some(Reading::Int(value)),
        Some(fraction) => fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_').then_some(Reading::Float),
    }
}

fn digits_of(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Returns whether the text has the form of a date such as `2008-05-13`. The date need not exist in the calendar.
pub(in crate::spec) fn is_day(text: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(is_right)
}

/// Returns whether the text has the form of a date with a time, such as `2001-12-14t21:59:43.10-05:00`.
fn is_time(text: &str) -> bool {
    let Some(split) = text.find(['T', 't', ' ', '\t']) else { return false };
    let parts: Vec<&str> = text[..split].split('-').collect();
    let day = matches!(parts[..], [y, m, d] if digits_of(y, 4..=4) && digits_of(m, 1..=2) && digits_of(d, 1..=2));
    let blank = |c: char| matches!(c, ' ' | '\t');
    let time =
        if text[split..].starts_with(blank) { text[split..].trim_start_matches(blank) } else { &text[split + 1..] };
    let clock = time.find(|c: char| !c.is_ascii_digit() && c != ':').map_or(time, |end| &time[..end]);
    let fraction = &time[clock.len()..];
    let after =
        fraction.strip_prefix('.').map_or(fraction, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let zone = after.trim_start_matches(blank);
    let zone_fits = matches!(zone, "" | "Z") && (zone == "Z" || after.is_empty())
        || zone.strip_prefix(['+', '-']).is_some_and(|zone| match zone.split_once(':') {
            Some((hours, minutes)) => digits_of(hours, 1..=2) && digits_of(minutes, 2..=2),
            None => digits_of(zone, 1..=2),
        });
    let clock: Vec<&str> = clock.split(':').collect();
    let clock_fits =
        matches!(clock[..], [h, m, s] if digits_of(h, 1..=2) && digits_of(m, 2..=2) && digits_of(s, 2..=2));
    day && clock_fits && zone_fits
}
