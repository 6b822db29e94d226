//! Changes of a JSON document that keep it JSON: what a hostile or broken writer would send.

use fastrand::Rng;
use serde_json::{Map, Number, Value, json};

/// Changes one place; parts may come from `other`.
pub fn mutate(document: &mut Value, other: &Value, random: &mut Rng) {
    let paths = paths_of(document);
    let path = paths[random.usize(..paths.len())].clone();
    let elsewhere = {
        let source = if random.bool() { other } else { &*document };
        let paths = paths_of(source);
        source.pointer(&paths[random.usize(..paths.len())]).cloned()
    };
    let Some(place) = document.pointer_mut(&path) else {
        return;
    };
    match random.u8(..10) {
        0 => *place = scalar(random),
        1 => *place = elsewhere.unwrap_or(Value::Null),
        2 => change_scalar(place, random),
        3 => *place = json!([place.clone()]),
        4 => *place = json!({ text(random): place.clone() }),
        5 => nest(place, random),
        6 => remove(place, random),
        7 => insert(place, elsewhere, random),
        8 => exchange(place, random),
        _ => repeat(place, random),
    }
}

/// JSON pointers of all places, the whole document first.
fn paths_of(document: &Value) -> Vec<String> {
    let mut paths = vec![String::new()];
    collect(document, &mut String::new(), &mut paths);
    paths
}

fn collect(value: &Value, path: &mut String, paths: &mut Vec<String>) {
    let mut below = |name: String, value: &Value| {
        let before = path.len();
        path.push('/');
        path.push_str(&name.replace('~', "~0").replace('/', "~1"));
        paths.push(path.clone());
        collect(value, path, paths);
        path.truncate(before);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, v)| below(name.clone(), v)),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .for_each(|(position, v)| below(position.to_string(), v)),
        _ => {}
    }
}

fn text(random: &mut Rng) -> String {
    const TEXTS: [&str; 22] = [
        "",
        "exp",
        "crit",
        "iss",
        "sub",
        "jwks",
        "metadata",
        "metadata_policy",
        "constraints",
        "authority_hints",
        "https://ta.example.it",
        "https://sa.example.it",
        "https://rp.example.it/",
        "https://127.0.0.1/",
        "@jwks:other",
        "none",
        "openid  openid\temail",
        "\u{0}\r\n\u{7f}\"\\",
        "\u{202e}\u{1f600}\u{e8}",
        "..%2f..",
        "value",
        "subset_of",
    ];
    match random.u8(..8) {
        0 => "x".repeat(random.usize(..5000)),
        1 => "\u{1f600}".repeat(random.usize(..300)),
        _ => TEXTS[random.usize(..TEXTS.len())].to_owned(),
    }
}

fn scalar(random: &mut Rng) -> Value {
    match random.u8(..10) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(..)),
        3 => json!(u64::MAX),
        4 => json!(1_800_000_000.5),
        5 => Number::from_f64(f64::MAX).map_or(Value::Null, Value::Number),
        6 => json!(random.i64(1_799_999_900..1_800_000_100)),
        7 => json!([]),
        8 => json!({}),
        _ => json!(text(random)),
    }
}

/// Near what it was.
fn change_scalar(place: &mut Value, random: &mut Rng) {
    match place {
        Value::String(text) => match random.u8(..5) {
            0 => *text = text.to_uppercase(),
            1 => text.push('/'),
            2 => text.push_str(" openid"),
            3 => {
                text.pop();
            }
            _ => text.insert(0, '\u{a0}'),
        },
        Value::Number(number) => {
            let near = number.as_i64().unwrap_or_default();
            *place = json!(near.saturating_add(random.i64(-100..100)));
        }
        Value::Bool(flag) => *flag = !*flag,
        other => *other = scalar(random),
    }
}

fn nest(place: &mut Value, random: &mut Rng) {
    for _ in 0..random.usize(..40) {
        let inner = place.take();
        *place = json!([inner]);
    }
}

fn remove(place: &mut Value, random: &mut Rng) {
    match place {
        Value::Object(members) if !members.is_empty() => {
            let name = members.keys().nth(random.usize(..members.len())).cloned();
            name.and_then(|name| members.shift_remove(&name));
        }
        Value::Array(values) if !values.is_empty() => {
            values.remove(random.usize(..values.len()));
        }
        other => *other = Value::Null,
    }
}

fn insert(place: &mut Value, elsewhere: Option<Value>, random: &mut Rng) {
    let value = elsewhere.unwrap_or_else(|| scalar(random));
    match place {
        Value::Object(members) => {
            members.insert(text(random), value);
        }
        Value::Array(values) => values.insert(random.usize(..=values.len()), value),
        other => *other = value,
    }
}

/// Two members change their values, or two elements their places.
fn exchange(place: &mut Value, random: &mut Rng) {
    match place {
        Value::Object(members) if members.len() > 1 => {
            let (one, two) = (random.usize(..members.len()), random.usize(..members.len()));
            let names: Vec<String> = members.keys().cloned().collect();
            let (first, second) = (members[&names[one]].clone(), members[&names[two]].clone());
            members.insert(names[one].clone(), second);
            members.insert(names[two].clone(), first);
        }
        Value::Array(values) if values.len() > 1 => {
            let (one, two) = (random.usize(..values.len()), random.usize(..values.len()));
            values.swap(one, two);
        }
        other => *other = scalar(random),
    }
}

/// Many of one.
fn repeat(place: &mut Value, random: &mut Rng) {
    let times = [2, 3, 21, 33, 300][random.usize(..5)];
    match place {
        Value::Array(values) if values.len() < 50 => {
            if let Some(value) = values.first().cloned() {
                values.extend(std::iter::repeat_n(value, times));
            }
        }
        Value::Object(members) if members.len() < 50 => {
            let value = members.values().next().cloned().unwrap_or_default();
            let more = (0..times).map(|n| (format!("m{n}"), value.clone()));
            members.extend(more.collect::<Map<_, _>>());
        }
        other => *other = scalar(random),
    }
}
