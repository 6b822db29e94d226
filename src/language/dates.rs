//! Dates and times as people write them in each language, in Italian legal time.
//!
//! Our own few lines instead of a time zone database: the pages know one zone, whose rule has been the same in the whole
//! European Union since 1996 (Directive 2000/84/EC: summer time from 01:00 UTC on the last Sunday of March to 01:00 UTC on
//! the last Sunday of October).

use super::Locale;
use crate::clock::UtcTime;
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, Timelike as _};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// `15 gennaio 2026, ore 10:30`, in Italian legal time; the raw number when it is no calendar date.
#[must_use]
pub fn date_time(locale: Locale, time: UtcTime) -> String {
    let Some(local) = local(time) else {
        return time.0.to_string();
    };
    let date = date(locale, local.date());
    let (hour, minute) = (local.hour(), local.minute());
    match locale {
        Locale::It => format!("{date}, ore {hour:02}:{minute:02}"),
        Locale::En => format!("{date}, {hour:02}:{minute:02}"),
        Locale::De => format!("{date}, {hour:02}:{minute:02} Uhr"),
    }
}

/// The beginning of a bar of a chart, as short as can be: `15/01 10:30` of hours, `15/01/26` of days.
#[must_use]
pub fn short(locale: Locale, time: UtcTime, bar_seconds: i64) -> String {
    let Some(local) = local(time) else {
        return time.0.to_string();
    };
    let (day, month, year) = (local.day(), local.month(), local.year().rem_euclid(100));
    let (date, year) = match locale {
        Locale::It => (format!("{day:02}/{month:02}"), format!("/{year:02}")),
        Locale::En => {
            let name: String = self::month(locale, month).chars().take(3).collect();
            (format!("{day} {name}"), format!(" {year:02}"))
        }
        Locale::De => (format!("{day}.{month}."), format!("{year:02}")),
    };
    if bar_seconds < DAY {
        format!("{date} {:02}:{:02}", local.hour(), local.minute())
    } else {
        format!("{date}{year}")
    }
}

/// As [`date_time`], in UTC and without saying so: for people who work on machines.
#[must_use]
pub fn utc_date_time(locale: Locale, time: UtcTime) -> String {
    let Some(utc) = DateTime::from_timestamp(time.0, 0).map(|at| at.naive_utc()) else {
        return time.0.to_string();
    };
    let date = date(locale, utc.date());
    let (hour, minute) = (utc.hour(), utc.minute());
    match locale {
        Locale::It => format!("{date}, ore {hour:02}:{minute:02}"),
        Locale::En => format!("{date} at {hour:02}:{minute:02}"),
        Locale::De => format!("{date} um {hour:02}:{minute:02} Uhr"),
    }
}

/// `15 gennaio 2026` for `2026-01-15`; `None` when the text is no such date.
#[must_use]
pub fn date_of_text(locale: Locale, text: &str) -> Option<String> {
    parse_date(text).map(|day| date(locale, day))
}

/// The first second of a day (`2026-01-15`, as `<input type="date">` sends it) in Italian legal time, and the first second
/// after it; `None` when the text is no such date. For filters: `from ≤ time < to`.
#[must_use]
pub fn day_bounds(text: &str) -> Option<(UtcTime, UtcTime)> {
    let day = parse_date(text)?;
    Some((midnight(day)?, midnight(day.succ_opt()?)?))
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    let well_formed = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !well_formed {
        return None;
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

fn date(locale: Locale, day: NaiveDate) -> String {
    let (number, year) = (day.day(), day.year());
    let month = month(locale, day.month());
    match locale {
        Locale::It if number == 1 => format!("1º {month} {year}"),
        Locale::It | Locale::En => format!("{number} {month} {year}"),
        Locale::De => format!("{number}. {month} {year}"),
    }
}

fn month(locale: Locale, number: u32) -> &'static str {
    let names = match locale {
        Locale::It => [
            "gennaio",
            "febbraio",
            "marzo",
            "aprile",
            "maggio",
            "giugno",
            "luglio",
            "agosto",
            "settembre",
            "ottobre",
            "novembre",
            "dicembre",
        ],
        Locale::En => [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        // "Jänner" is the official form in South Tyrol.
        Locale::De => [
            "Jänner",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
    };
    usize::try_from(number)
        .ok()
        .and_then(|number| names.get(number.checked_sub(1)?).copied())
        .unwrap_or_default()
}

fn local(time: UtcTime) -> Option<NaiveDateTime> {
    let shifted = time.0.checked_add(offset_seconds(time)?)?;
    Some(DateTime::from_timestamp(shifted, 0)?.naive_utc())
}

fn midnight(day: NaiveDate) -> Option<UtcTime> {
    let utc = day.and_hms_opt(0, 0, 0)?.and_utc().timestamp();
    // The clock never changes at midnight, so that either guess of the offset finds the same answer.
    let offset = offset_seconds(UtcTime(utc.checked_sub(HOUR)?))?;
    Some(UtcTime(utc.checked_sub(offset)?))
}

fn offset_seconds(time: UtcTime) -> Option<i64> {
    let year = DateTime::from_timestamp(time.0, 0)?.year();
    let summer = last_sunday(year, 3)? + HOUR..last_sunday(year, 10)? + HOUR;
    Some(if summer.contains(&time.0) {
        2 * HOUR
    } else {
        HOUR
    })
}

/// Midnight UTC of the last Sunday of a month of 31 days.
fn last_sunday(year: i32, month: u32) -> Option<i64> {
    let last_day = NaiveDate::from_ymd_opt(year, month, 31)?;
    let back = i64::from(last_day.weekday().num_days_from_sunday());
    Some(last_day.and_hms_opt(0, 0, 0)?.and_utc().timestamp() - back * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcTime {
        UtcTime(DateTime::parse_from_rfc3339(text).unwrap().timestamp())
    }

    #[test]
    fn times_are_written_as_each_language_writes_them() {
        let winter = at("2026-01-15T09:30:00Z");
        assert_eq!(date_time(Locale::It, winter), "15 gennaio 2026, ore 10:30");
        assert_eq!(date_time(Locale::En, winter), "15 January 2026, 10:30");
        assert_eq!(date_time(Locale::De, winter), "15. Jänner 2026, 10:30 Uhr");
        assert_eq!(
            date_time(Locale::It, at("2026-05-01T10:00:00Z")),
            "1º maggio 2026, ore 12:00"
        );
    }

    #[test]
    fn beginnings_of_bars_are_short() {
        let winter = at("2026-01-05T09:30:00Z");
        let both = |locale| [HOUR, DAY].map(|bar| short(locale, winter, bar));
        assert_eq!(both(Locale::It), ["05/01 10:30", "05/01/26"]);
        assert_eq!(both(Locale::En), ["5 Jan 10:30", "5 Jan 26"]);
        assert_eq!(both(Locale::De), ["5.1. 10:30", "5.1.26"]);
        assert_eq!(
            short(Locale::It, UtcTime(i64::MAX), DAY),
            i64::MAX.to_string()
        );
    }

    #[test]
    fn summer_time_starts_and_ends_at_one_utc_on_the_last_sunday() {
        for (utc, local) in [
            ("2026-03-29T00:59:59Z", "29 March 2026, 01:59"),
            ("2026-03-29T01:00:00Z", "29 March 2026, 03:00"),
            ("2026-10-25T00:59:59Z", "25 October 2026, 02:59"),
            ("2026-10-25T01:00:00Z", "25 October 2026, 02:00"),
            ("2026-12-31T23:30:00Z", "1 January 2027, 00:30"),
        ] {
            assert_eq!(date_time(Locale::En, at(utc)), local, "{utc}");
        }
    }

    #[test]
    fn days_begin_at_italian_midnight_also_when_the_clock_changes() {
        let bounds = |day| day_bounds(day).map(|(from, to)| (from.to_rfc3339(), to.to_rfc3339()));
        let pair = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        assert_eq!(
            bounds("2026-01-15"),
            pair("2026-01-14T23:00:00Z", "2026-01-15T23:00:00Z")
        );
        assert_eq!(
            bounds("2026-03-29"),
            pair("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")
        );
        assert_eq!(
            bounds("2026-10-25"),
            pair("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")
        );
    }

    #[test]
    fn what_is_no_date_is_refused_and_extreme_times_do_not_panic() {
        for text in [
            "",
            "2026-13-01",
            "2026-02-30",
            "26-01-01",
            "2026-1-01",
            "2026-01-01T",
            "+026-01-01",
            "２026-01-0",
        ] {
            assert_eq!(day_bounds(text), None, "{text}");
            assert_eq!(date_of_text(Locale::It, text), None, "{text}");
        }
        assert_eq!(
            date_of_text(Locale::De, "1980-03-02").as_deref(),
            Some("2. März 1980")
        );
        for extreme in [
            i64::MIN,
            i64::MAX,
            i64::MAX - 3600,
            8_210_266_876_799,
            -8_334_601_228_800,
        ] {
            assert!(!date_time(Locale::It, UtcTime(extreme)).is_empty());
        }
        assert!(day_bounds("9999-12-31").is_some());
        assert!(day_bounds("0000-01-01").is_some());
    }
}
