//! Stacked bars over time, as numbers that a template draws as SVG: no script, no style, the colours are classes. The same
//! numbers stand in a table beside the picture, for whoever does not see it.

use crate::clock::UtcTime;
use serde::Serialize;
use std::collections::BTreeMap;

/// The picture's size, in its own units: about the pixels of a small telephone, so that text is read there too.
pub const WIDTH: i64 = 360;
/// Its height, with the room for the times below.
pub const HEIGHT: i64 = 170;
/// Where the bars stand, and how far up they reach.
const LEFT: i64 = 48;
const TOP: i64 = 12;
const FLOOR: i64 = 146;
/// Colours that are told apart; what is beyond is summed up in the last.
pub const MAX_SERIES: usize = 6;
/// Times written below the bars, at most.
const TIMES: usize = 4;
/// The room that such a time takes.
const TIME_WIDTH: i64 = 64;

/// A part of a bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// Its corner.
    pub x: i64,
    /// Its corner.
    pub y: i64,
    /// Its size.
    pub width: i64,
    /// Its size.
    pub height: i64,
    /// Its colour: the place of its series.
    pub series: usize,
}

/// A horizontal line with the number that it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// How far down.
    pub y: i64,
    /// The number.
    pub number: i64,
}

/// A time below the bars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// How far right.
    pub x: i64,
    /// The time.
    pub at: UtcTime,
}

/// A series, with the colour of its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Series {
    /// Its name, as shown.
    pub name: String,
    /// All of it.
    pub total: i64,
}

/// A bucket as a row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its beginning.
    pub at: UtcTime,
    /// A number a series.
    pub numbers: Vec<i64>,
}

/// A chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chart {
    /// The size.
    pub width: i64,
    /// The size.
    pub height: i64,
    /// The left end of the lines.
    pub left: i64,
    /// How long a bar is.
    pub bar_seconds: i64,
    /// The bars, part by part.
    pub bars: Vec<Bar>,
    /// The lines, the floor first.
    pub lines: Vec<Line>,
    /// The times.
    pub marks: Vec<Mark>,
    /// The colours' names.
    pub series: Vec<Series>,
    /// The table: buckets in which something was, newest first.
    pub rows: Vec<Row>,
}

/// Which buckets a chart has.
#[derive(Clone, Copy, Debug)]
pub struct Buckets {
    /// Where the first begins.
    pub from: UtcTime,
    /// How long each is; at least 1.
    pub seconds: i64,
    /// How many.
    pub number: i64,
}

impl Buckets {
    /// The place of a time, if it is in one.
    fn place(self, at: UtcTime) -> Option<i64> {
        let place = at.seconds_since(self.from).div_euclid(self.seconds.max(1));
        (0..self.number).contains(&place).then_some(place)
    }

    fn beginning(self, place: i64) -> UtcTime {
        self.from.plus_seconds(self.seconds.saturating_mul(place))
    }
}

/// Draws numbers at times, each of a series by name.
#[must_use]
pub fn draw(buckets: Buckets, numbers: &[(UtcTime, String, i64)]) -> Chart {
    let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
    for (at, name, number) in numbers {
        if buckets.place(*at).is_some() {
            *totals.entry(name).or_default() += number;
        }
    }
    // The largest first, so that the others are seen on top of it; then by name, so that colours stay.
    let mut names: Vec<(&str, i64)> = totals.into_iter().collect();
    names.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    let place_of = |name: &str| {
        let place = names.iter().position(|(known, _)| *known == name);
        place.unwrap_or_default().min(MAX_SERIES - 1)
    };
    let mut series: Vec<Series> = Vec::new();
    for (place, (name, total)) in names.iter().enumerate() {
        match series.last_mut() {
            Some(last) if place >= MAX_SERIES => {
                last.total += total;
                "…".clone_into(&mut last.name);
            }
            _ => series.push(Series {
                name: (*name).to_owned(),
                total: *total,
            }),
        }
    }
    let mut stacks: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (at, name, number) in numbers {
        if let Some(place) = buckets.place(*at) {
            let stack = stacks.entry(place).or_insert_with(|| vec![0; series.len()]);
            if let Some(part) = stack.get_mut(place_of(name)) {
                *part += number;
            }
        }
    }
    let highest = stacks.values().map(|stack| stack.iter().sum::<i64>()).max();
    let top = round_up(highest.unwrap_or_default());
    Chart {
        width: WIDTH,
        height: HEIGHT,
        left: LEFT,
        bar_seconds: buckets.seconds,
        bars: bars(buckets, &stacks, top),
        lines: [0, top / 2, top]
            .map(|number| Line {
                y: FLOOR - height_of(number, top),
                number,
            })
            .into(),
        marks: marks(buckets),
        rows: stacks
            .into_iter()
            .rev()
            .map(|(place, numbers)| Row {
                at: buckets.beginning(place),
                numbers,
            })
            .collect(),
        series,
    }
}

/// Where a bar begins: they share the whole width.
fn left_of(buckets: Buckets, place: i64) -> i64 {
    LEFT + (WIDTH - LEFT) * place / buckets.number.max(1)
}

fn bars(buckets: Buckets, stacks: &BTreeMap<i64, Vec<i64>>, top: i64) -> Vec<Bar> {
    let mut bars = Vec::new();
    for (place, stack) in stacks {
        let x = left_of(buckets, *place);
        let mut below = 0;
        for (series, number) in stack.iter().enumerate() {
            let (from, to) = (height_of(below, top), height_of(below + number, top));
            below += number;
            if to > from {
                bars.push(Bar {
                    x,
                    y: FLOOR - to,
                    width: (left_of(buckets, place + 1) - x - 1).max(1),
                    height: to - from,
                    series,
                });
            }
        }
    }
    bars
}

/// Something is never drawn as nothing.
fn height_of(number: i64, top: i64) -> i64 {
    match number {
        0 => 0,
        _ => (number.saturating_mul(FLOOR - TOP) / top.max(1)).max(1),
    }
}

/// An even number of one digit and noughts that is not less.
fn round_up(number: i64) -> i64 {
    let mut unit = 1;
    while unit * 10 <= number {
        unit *= 10;
    }
    let digits = (number + unit - 1) / unit;
    ((digits + digits % 2) * unit).max(2)
}

fn marks(buckets: Buckets) -> Vec<Mark> {
    let every = usize::try_from(buckets.number)
        .unwrap_or(1)
        .div_ceil(TIMES)
        .max(1);
    (0..buckets.number)
        .step_by(every)
        .map(|place| Mark {
            x: left_of(buckets, place),
            at: buckets.beginning(place),
        })
        .filter(|mark| mark.x <= WIDTH - TIME_WIDTH || mark.x == LEFT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURS: Buckets = Buckets {
        from: UtcTime(7_200),
        seconds: 3_600,
        number: 24,
    };

    fn number(hour: i64, name: &str, number: i64) -> (UtcTime, String, i64) {
        (UtcTime(7_200 + hour * 3_600 + 5), name.to_owned(), number)
    }

    #[test]
    fn bars_stand_on_each_other_and_inside_the_picture() {
        let chart = draw(
            HOURS,
            &[
                number(0, "a", 50),
                number(0, "b", 100),
                number(0, "a", 50),
                number(23, "b", 1),
            ],
        );
        let names: Vec<_> = chart
            .series
            .iter()
            .map(|one| (one.name.as_str(), one.total))
            .collect();
        assert_eq!(names, [("b", 101), ("a", 100)]);
        let first: Vec<&Bar> = chart.bars.iter().filter(|bar| bar.x == LEFT).collect();
        assert_eq!(first.len(), 2);
        assert_eq!(first[0].y, first[1].y + first[1].height);
        assert_eq!(
            chart.lines[2],
            Line {
                y: TOP,
                number: 200
            }
        );
        for bar in &chart.bars {
            assert!(bar.y >= TOP && bar.y + bar.height <= FLOOR, "{bar:?}");
            assert!(bar.x >= LEFT && bar.x + bar.width <= WIDTH, "{bar:?}");
        }
        assert_eq!(chart.rows[0].numbers, [1, 0]);
        assert_eq!(chart.rows[1].numbers, [100, 100]);
        assert_eq!(chart.marks.len(), TIMES);
    }

    #[test]
    fn times_outside_and_nothing_at_all_are_drawn_as_nothing() {
        let chart = draw(HOURS, &[number(-1, "a", 5), number(24, "a", 5)]);
        assert!(chart.bars.is_empty() && chart.rows.is_empty() && chart.series.is_empty());
        assert_eq!(chart.lines[2].number, 2);
    }

    #[test]
    fn many_series_end_in_one() {
        let many: Vec<_> = (0..20)
            .map(|n| number(n, &format!("s{n:02}"), 100 - n))
            .collect();
        let chart = draw(HOURS, &many);
        assert_eq!(chart.series.len(), MAX_SERIES);
        assert_eq!(chart.series[5].name, "…");
        assert!(chart.bars.iter().all(|bar| bar.series < MAX_SERIES));
        let all: i64 = chart.series.iter().map(|one| one.total).sum();
        assert_eq!(all, many.iter().map(|(_, _, number)| number).sum::<i64>());
    }

    #[test]
    fn the_scale_is_round() {
        for (highest, top) in [
            (0, 2),
            (1, 2),
            (3, 4),
            (10, 20),
            (99, 100),
            (100, 200),
            (4_321, 6_000),
        ] {
            assert_eq!(round_up(highest), top, "{highest}");
        }
    }
}
