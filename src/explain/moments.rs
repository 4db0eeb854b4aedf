//! Times, numbers and amounts as people write them, in both languages.
//!
//! Times are those of the shop's zone: `24 Nov 14:05` and `24.11. klo 14.05`, with the year where it is another one.

use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::domain::{Timestamp, language::Language};

/// A date and a time of day.
pub fn moment_text(at: Timestamp, now: Timestamp, zone: Tz, language: Language) -> String {
    let (local, today) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let is_this_year = local.year() == today.year();
    let format = match (language, is_this_year) {
        (Language::English, true) => "%-d %b %H:%M",
        (Language::English, false) => "%-d %b %Y %H:%M",
        (Language::Finnish, true) => "%-d.%-m. klo %-H.%M",
        (Language::Finnish, false) => "%-d.%-m.%Y klo %-H.%M",
    };
    local.format(format).to_string()
}

/// A date.
pub fn day_text(at: Timestamp, now: Timestamp, zone: Tz, language: Language) -> String {
    let (local, today) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let is_this_year = local.year() == today.year();
    let format = match (language, is_this_year) {
        (Language::English, true) => "%-d %b",
        (Language::English, false) => "%-d %b %Y",
        (Language::Finnish, true) => "%-d.%-m.",
        (Language::Finnish, false) => "%-d.%-m.%Y",
    };
    local.format(format).to_string()
}

/// A date with its year.
pub fn date_text(day: NaiveDate, language: Language) -> String {
    let format = match language {
        Language::English => "%-d %b %Y",
        Language::Finnish => "%-d.%-m.%Y",
    };
    day.format(format).to_string()
}

/// A time of day, alone where it is today's, else with its date.
pub fn clock_text(at: Timestamp, now: Timestamp, zone: Tz, language: Language) -> String {
    let local = at.with_timezone(&zone);
    if local.date_naive() == now.with_timezone(&zone).date_naive() {
        time_of_day(&local, language)
    } else {
        moment_text(at, now, zone, language)
    }
}

/// The hour and minute of a local time.
pub fn time_of_day(local: &DateTime<Tz>, language: Language) -> String {
    let format = match language {
        Language::English => "%H:%M",
        Language::Finnish => "klo %-H.%M",
    };
    local.format(format).to_string()
}

/// How long something takes or lasts, in its largest unit: `45 s`, `12 min`, `26 h`, `3 days`.
pub fn duration_text(duration: TimeDelta, language: Language) -> String {
    let (number, unit) = match duration.num_seconds().abs() {
        seconds @ ..100 => (seconds, "s"),
        seconds @ ..6_000 => (seconds / 60, "min"),
        seconds @ ..172_800 => (seconds / 3600, "h"),
        seconds => (seconds / 86_400, if language == Language::Finnish { "pv" } else { "days" }),
    };
    format!("{number} {unit}")
}

/// A short time: `142 ms`, `1.4 s`, `4 min 12 s`.
pub fn short_duration_text(time: Duration, language: Language) -> String {
    let millis = time.as_millis();
    let text = match millis {
        0..1000 => format!("{millis} ms"),
        1000..10_000 => format!("{}.{} s", millis / 1000, millis / 100 % 10),
        10_000..60_000 => format!("{} s", millis / 1000),
        60_000..3_600_000 => format!("{} min {} s", millis / 60_000, millis / 1000 % 60),
        _ => format!("{} h {} min", millis / 3_600_000, millis / 60_000 % 60),
    };
    match language {
        Language::English => text,
        Language::Finnish => text.replace('.', ","),
    }
}

/// A time relative to now: `5 min ago`, `in 5 min`.
pub fn relative_text(at: Timestamp, now: Timestamp, language: Language) -> String {
    let duration = duration_text(now - at, language);
    match (language, at <= now) {
        (Language::English, true) => format!("{duration} ago"),
        (Language::English, false) => format!("in {duration}"),
        (Language::Finnish, true) => format!("{duration} sitten"),
        (Language::Finnish, false) => format!("{duration} kuluttua"),
    }
}

/// A whole number, its thousands apart: `12,345` and `12 345`.
pub fn number_text(number: i64, language: Language) -> String {
    let digits = number.unsigned_abs().to_string();
    let sign = if number < 0 { "−" } else { "" };
    format!("{sign}{}", grouped(&digits, language))
}

/// An amount of money: `€1,284.00` and `1 284,00 €`. A currency without a sign of its own stands as its code.
pub fn money_text(amount: Decimal, currency: &str, language: Language) -> String {
    let rounded = amount.abs().round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    let text = format!("{rounded:.2}");
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let sign = if amount.is_sign_negative() && !amount.is_zero() { "−" } else { "" };
    let symbol = match currency {
        "EUR" => "€",
        "GBP" => "£",
        "USD" => "$",
        other => other,
    };
    let whole = grouped(whole, language);
    match language {
        Language::Finnish => format!("{sign}{whole},{cents}\u{a0}{symbol}"),
        Language::English if symbol.chars().count() == 1 => format!("{sign}{symbol}{whole}.{cents}"),
        Language::English => format!("{sign}{whole}.{cents}\u{a0}{symbol}"),
    }
}

/// A decimal number with all its decimals: `1,284.5` and `1 284,5`. What is no number stays as it is.
pub fn amount_text(number: &str, language: Language) -> String {
    let Ok(amount) = number.parse::<Decimal>() else { return number.to_owned() };
    let text = amount.abs().normalize().to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let sign = if amount.is_sign_negative() && !amount.is_zero() { "−" } else { "" };
    let point = match language {
        Language::English => '.',
        Language::Finnish => ',',
    };
    let whole = grouped(whole, language);
    if decimals.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}{point}{decimals}") }
}

fn grouped(digits: &str, language: Language) -> String {
    let separator = match language {
        Language::English => ',',
        Language::Finnish => '\u{a0}',
    };
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELSINKI: Tz = chrono_tz::Europe::Helsinki;

    fn at(text: &str) -> Timestamp {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn moments_are_of_the_shops_zone() {
        let now = at("2026-11-24T12:05:00Z");
        let text = |moment: &str, language| moment_text(at(moment), now, HELSINKI, language);
        assert_eq!(text("2026-11-24T12:05:00Z", Language::English), "24 Nov 14:05");
        assert_eq!(text("2026-11-24T12:05:00Z", Language::Finnish), "24.11. klo 14.05");
        assert_eq!(text("2026-06-30T21:05:00Z", Language::English), "1 Jul 00:05", "summer time");
        assert_eq!(text("2025-12-31T22:30:00Z", Language::English), "1 Jan 00:30", "its year is the zone's");
        assert_eq!(text("2025-12-31T21:30:00Z", Language::Finnish), "31.12.2025 klo 23.30");
        assert_eq!(clock_text(at("2026-11-24T06:04:00Z"), now, HELSINKI, Language::Finnish), "klo 8.04");
        assert_eq!(clock_text(at("2026-11-23T21:59:00Z"), now, HELSINKI, Language::English), "23 Nov 23:59");
        assert_eq!(day_text(at("2026-11-23T22:00:00Z"), now, HELSINKI, Language::Finnish), "24.11.");
        assert_eq!(date_text(now.date_naive(), Language::Finnish), "24.11.2026");
    }

    #[test]
    fn relative_times_look_both_ways() {
        let now = at("2026-11-24T12:05:00Z");
        let text = |moment: &str, language| relative_text(at(moment), now, language);
        assert_eq!(text("2026-11-24T12:00:00Z", Language::English), "5 min ago");
        assert_eq!(text("2026-11-24T12:15:00Z", Language::English), "in 10 min");
        assert_eq!(text("2026-11-20T12:05:00Z", Language::Finnish), "4 pv sitten");
        assert_eq!(text("2026-11-24T12:05:30Z", Language::Finnish), "30 s kuluttua");
    }

    #[test]
    fn short_times_have_two_figures_at_most() {
        let text = |millis, language| short_duration_text(Duration::from_millis(millis), language);
        assert_eq!(text(142, Language::English), "142 ms");
        assert_eq!(text(1_449, Language::Finnish), "1,4 s");
        assert_eq!(text(59_999, Language::English), "59 s");
        assert_eq!(text(252_000, Language::Finnish), "4 min 12 s");
        assert_eq!(text(7_260_000, Language::English), "2 h 1 min");
    }

    #[test]
    fn numbers_and_amounts_follow_the_language() {
        assert_eq!(number_text(1_234_567, Language::English), "1,234,567");
        assert_eq!(number_text(-1234, Language::Finnish), "−1\u{a0}234");
        assert_eq!(number_text(999, Language::English), "999");
        assert_eq!(amount_text("1000.0", Language::English), "1,000");
        assert_eq!(amount_text("-1284.50", Language::Finnish), "−1\u{a0}284,5");
        assert_eq!(amount_text("0.25", Language::English), "0.25");
        assert_eq!(amount_text("a few", Language::Finnish), "a few");
        let amount: Decimal = "1284".parse().unwrap();
        assert_eq!(money_text(amount, "EUR", Language::English), "€1,284.00");
        assert_eq!(money_text(amount, "EUR", Language::Finnish), "1\u{a0}284,00\u{a0}€");
        assert_eq!(money_text(-amount, "SEK", Language::English), "−1,284.00\u{a0}SEK");
        assert_eq!(money_text("0.005".parse().unwrap(), "EUR", Language::English), "€0.01");
    }
}
