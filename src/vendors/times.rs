//! Reads the vendors' times. How a time is spelt varies, what it means must not be guessed: a text that is no time is
//! unreadable, and a time without a zone has that of its vendor.

use chrono::{DateTime, Datelike, Duration, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc, Weekday};

use crate::domain::Timestamp;

/// The zone of times that do not name one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// OGOship's (docs/contract.md §2.2).
    Utc,
    /// `MyCashflow`'s (docs/contract.md §1.2).
    Helsinki,
}

/// Reads a time: a date, perhaps a time of day with or without seconds, perhaps a zone as `Z`, `+02:00`, `+0200` or `+02`,
/// with spaces in between or not. A date alone is its first moment.
pub(super) fn parse_time(text: &str, zone: Zone) -> Option<Timestamp> {
    let text = text.trim();
    let date: NaiveDate = text.get(..10)?.parse().ok()?;
    let rest = text.get(10..)?;
    if rest.is_empty() {
        return zone.resolve(date.and_time(NaiveTime::MIN));
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?.trim();
    let end = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, offset) = (parse_time_of_day(rest[..end].trim_end())?, &rest[end..]);
    let local = date.and_time(time);
    if offset.is_empty() {
        return zone.resolve(local);
    }
    let seconds = parse_offset(offset)?;
    let utc = local.checked_sub_offset(FixedOffset::east_opt(seconds)?)?;
    Some(utc.and_utc())
}

fn parse_time_of_day(text: &str) -> Option<NaiveTime> {
    let text = text.replace(',', ".");
    ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|format| NaiveTime::parse_from_str(&text, format).ok())
}

/// Seconds east of UTC.
fn parse_offset(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.get(1..)?.replace(':', "");
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
    (minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

impl Zone {
    fn resolve(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self {
            Self::Utc => Some(local.and_utc()),
            Self::Helsinki => (local - helsinki_offset(local)?).and_utc().into(),
        }
    }
}

/// Helsinki's offset: summer time from 03:00 on the last Sunday of March to 04:00 on the last of October (Directive
/// 2000/84/EC). The hour that comes twice in October is read as the earlier one: an order must not look younger than it is.
fn helsinki_offset(local: NaiveDateTime) -> Option<Duration> {
    let begins = last_sunday(local.year(), 3)?.and_hms_opt(3, 0, 0)?;
    let ends = last_sunday(local.year(), 10)?.and_hms_opt(4, 0, 0)?;
    let is_summer = (begins..ends).contains(&local);
    Some(Duration::hours(if is_summer { 3 } else { 2 }))
}

/// The last Sunday of a month with 31 days.
fn last_sunday(year: i32, month: u32) -> Option<NaiveDate> {
    let last = NaiveDate::from_ymd_opt(year, month, 31)?;
    last.week(Weekday::Sun).checked_first_day()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, zone: Zone) -> Option<String> {
        parse_time(text, zone).map(|time| time.format("%m-%d %H:%M:%S").to_string())
    }

    #[test]
    fn time_is_read_in_every_spelling() {
        for text in [
            "2026-11-23T10:00:00+02:00",
            "2026-11-23T10:00:00+0200",
            "2026-11-23T10:00:00+02",
            "2026-11-23 10:00:00 +02:00",
            "2026-11-23 10:00:00+02",
            "2026-11-23T10:00+02:00",
            "2026-11-23T10:00:00.000+02:00",
            " 2026-11-23T08:00:00Z ",
            "2026-11-23t08:00z",
            "2026-11-23T03:00:00-05:00",
            "2026-11-23T08:00:00,5Z",
        ] {
            assert_eq!(read(text, Zone::Utc).as_deref(), Some("11-23 08:00:00"), "{text}");
        }
    }

    #[test]
    fn time_without_a_zone_has_its_vendors() {
        let table = [
            ("2026-11-23T10:00:00", "11-23 10:00:00", "11-23 08:00:00"),
            ("2026-07-01 10:00", "07-01 10:00:00", "07-01 07:00:00"),
            ("2026-11-23", "11-23 00:00:00", "11-22 22:00:00"),
            ("2026-03-29T02:59:59", "03-29 02:59:59", "03-29 00:59:59"),
            ("2026-03-29T04:00:00", "03-29 04:00:00", "03-29 01:00:00"),
            // The hour that comes twice, and the one after it.
            ("2026-10-25T03:30:00", "10-25 03:30:00", "10-25 00:30:00"),
            ("2026-10-25T04:00:00", "10-25 04:00:00", "10-25 02:00:00"),
        ];
        for (text, utc, helsinki) in table {
            assert_eq!(read(text, Zone::Utc).as_deref(), Some(utc), "{text}");
            assert_eq!(read(text, Zone::Helsinki).as_deref(), Some(helsinki), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_time_is_unreadable() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-11-23X10:00",
            "2026-11-23T25:00",
            "2026-11-23T10:00:00+2",
            "2026-11-23T10:00:00+02:75",
            "23.11.2026",
            "2026-11-2310:00",
            "2026-11-23T",
            "1790000000",
            "ääääääääää",
        ] {
            assert_eq!(read(text, Zone::Helsinki), None, "{text:?}");
        }
    }
}
