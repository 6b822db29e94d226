//! Made-up people: names that sound Italian, and fiscal numbers that are right for them (decreto ministeriale of 23 December
//! 1976), of nobody.

use serde_json::{Map, Value};

const GIVEN: [(&str, bool); 24] = [
    ("Ada", true),
    ("Bruno", false),
    ("Carla", true),
    ("Dario", false),
    ("Elena", true),
    ("Fabio", false),
    ("Giulia", true),
    ("Hermann", false),
    ("Irene", true),
    ("Jacopo", false),
    ("Katia", true),
    ("Luca", false),
    ("Marta", true),
    ("Nicola", false),
    ("Olga", true),
    ("Paolo", false),
    ("Rita", true),
    ("Sergio", false),
    ("Teresa", true),
    ("Ugo", false),
    ("Valeria", true),
    ("Walter", false),
    ("Zaira", true),
    ("Tommaso", false),
];
const FAMILY_BEGINS: [&str; 24] = [
    "Abba", "Bel", "Cala", "Dega", "Ferra", "Galli", "Lazza", "Mari", "Nava", "Orla", "Pelle",
    "Quaglia", "Rava", "Salvi", "Tala", "Ubal", "Vena", "Zana", "Corra", "Monte", "Brega", "Grima",
    "Stella", "Fonta",
];
const FAMILY_ENDS: [&str; 12] = [
    "ni", "rini", "telli", "nato", "dini", "rella", "gno", "scotti", "vero", "mondi", "zzoli",
    "nese",
];
/// A town with its cadastral code.
const TOWNS: [(&str, &str); 8] = [
    ("Roma", "H501"),
    ("Milano", "F205"),
    ("Napoli", "F839"),
    ("Torino", "L219"),
    ("Palermo", "G273"),
    ("Bolzano", "A952"),
    ("Bari", "A662"),
    ("Trieste", "L424"),
];
const MONTHS: &str = "ABCDEHLMPRST";
/// What a character at an odd place counts, for 0 to 9 and A to Z alike.
const ODD: [u64; 26] = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

/// Numbers that look random and are the same every time (SplitMix64); of no use for secrets.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64, table: u64, row: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (table << 56) ^ row);
        dice.next();
        dice
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`; 0 when that is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }

    /// As [`Dice::below`], with twice as much weight for numbers half as large, as what is popular has (Zipf's law).
    pub(super) fn popular_below(&mut self, end: u64) -> u64 {
        let bands = u64::from(64 - end.leading_zeros());
        let first = 1_u64.checked_shl(u32::try_from(self.below(bands)).unwrap_or_default());
        let first = first.unwrap_or(1);
        match first + self.below(first) - 1 {
            number if number < end => number,
            _ => self.below(end),
        }
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let place = self.below(u64::try_from(among.len()).unwrap_or_default());
        among.get(usize::try_from(place).unwrap_or_default())
    }
}

/// A person's username and attributes.
pub(super) fn person(dice: &mut Dice, number: u64) -> (String, Map<String, Value>) {
    let (given, woman) = dice.pick(&GIVEN).copied().unwrap_or_default();
    let begin = dice.pick(&FAMILY_BEGINS).copied().unwrap_or_default();
    let end = dice.pick(&FAMILY_ENDS).copied().unwrap_or_default();
    let family = format!("{begin}{end}");
    let (town, code) = dice.pick(&TOWNS).copied().unwrap_or_default();
    let (year, month, day) = (
        1930 + dice.below(77),
        1 + dice.below(12),
        1 + dice.below(28),
    );
    let born = Born {
        year,
        month,
        day,
        woman,
        code,
    };
    let username = format!("{}.{}{number}", given.to_lowercase(), family.to_lowercase());
    let mut attributes = Map::new();
    let mut set = |name: &str, value: String| {
        attributes.insert(name.to_owned(), Value::String(value));
    };
    set("given_name", given.to_owned());
    set("family_name", family.clone());
    set("birthdate", format!("{year:04}-{month:02}-{day:02}"));
    set("gender", if woman { "female" } else { "male" }.to_owned());
    set(
        "fiscal_number",
        format!("TINIT-{}", fiscal_code(&family, given, &born)),
    );
    set("email", format!("{username}@example.it"));
    attributes.insert(
        "place_of_birth".to_owned(),
        serde_json::json!({ "locality": town }),
    );
    (username, attributes)
}

/// The name of an RP.
pub(super) fn organization(dice: &mut Dice, number: u64) -> String {
    let kinds = [
        "Comune di",
        "Provincia di",
        "Regione",
        "Azienda sanitaria di",
        "Università di",
        "Ordine degli avvocati di",
    ];
    let kind = dice.pick(&kinds).copied().unwrap_or_default();
    let begin = dice.pick(&FAMILY_BEGINS).copied().unwrap_or_default();
    let end = dice.pick(&FAMILY_ENDS).copied().unwrap_or_default();
    format!("{kind} {begin}{end} {number}")
}

/// When, where and as what a person was born.
struct Born {
    year: u64,
    month: u64,
    day: u64,
    woman: bool,
    code: &'static str,
}

fn fiscal_code(family: &str, given: &str, born: &Born) -> String {
    let month = usize::try_from(born.month.saturating_sub(1)).unwrap_or_default();
    let month = MONTHS.chars().nth(month).unwrap_or('A');
    let day = born.day + if born.woman { 40 } else { 0 };
    let code = format!(
        "{}{}{:02}{month}{day:02}{}",
        three_of(family, false),
        three_of(given, true),
        born.year % 100,
        born.code
    );
    let check = check_character(&code);
    format!("{code}{check}")
}

/// Consonants, then vowels, then X; of a given name with four consonants the second is left out.
fn three_of(name: &str, is_given: bool) -> String {
    let letters: Vec<char> = name
        .to_ascii_uppercase()
        .chars()
        .filter(char::is_ascii_uppercase)
        .collect();
    let (vowels, mut consonants): (Vec<char>, Vec<char>) = letters
        .into_iter()
        .partition(|letter| "AEIOU".contains(*letter));
    if is_given && consonants.len() > 3 {
        consonants.remove(1);
    }
    consonants
        .into_iter()
        .chain(vowels)
        .chain("XXX".chars())
        .take(3)
        .collect()
}

fn check_character(code: &str) -> char {
    let sum: u64 = code
        .chars()
        .enumerate()
        .map(|(place, character)| {
            let value = match character.to_digit(10) {
                Some(digit) => u64::from(digit),
                None => u64::from(u32::from(character).saturating_sub(u32::from('A'))),
            };
            if place % 2 == 0 {
                let value = usize::try_from(value).unwrap_or_default();
                ODD.get(value).copied().unwrap_or_default()
            } else {
                value
            }
        })
        .sum();
    ('A'..='Z')
        .nth(usize::try_from(sum % 26).unwrap_or_default())
        .unwrap_or('A')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fiscal_code_is_the_one_of_the_decree() {
        let born = Born {
            year: 1980,
            month: 1,
            day: 1,
            woman: false,
            code: "H501",
        };
        assert_eq!(fiscal_code("Rossi", "Mario", &born), "RSSMRA80A01H501U");
        assert_eq!(three_of("Fo", false), "FOX");
        assert_eq!(three_of("Gianfranco", true), "GFR");
    }

    #[test]
    fn the_same_seed_makes_the_same_people_and_popular_numbers_are_small() {
        let make = |row| person(&mut Dice::new(1, 2, row), row);
        assert_eq!(make(7), make(7));
        assert_ne!(make(7).1, make(8).1);
        let mut dice = Dice::new(1, 2, 3);
        let all: Vec<u64> = (0..10_000).map(|_| dice.popular_below(1_000)).collect();
        assert!(all.iter().all(|number| *number < 1_000));
        let small = all.iter().filter(|number| **number < 31).count();
        assert!((4_000..6_000).contains(&small), "{small}");
    }
}
