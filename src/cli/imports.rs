//! `varco user import` and `varco user imports`.

use super::arguments::users::{FormatArgument, Import, Imports};
use super::output::Output;
use super::{Console, Done, Failure, World};
use crate::accounts::UserRecord;
use crate::accounts::import::{Format, ImportProblem, Records};
use crate::administration::Office;
use crate::administration::imports::{self, ImportFile, Importer, Judgement, Turn};
use crate::administration::users::custom_attributes;
use crate::keys::{self, KeyError};
use crate::model::{ImportKind, UserImport};
use crate::store::{account, user_import};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Cursor, Read as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes of an import file.
const MOST_FILE_BYTES: u64 = 1 << 30;
/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(2);
/// Imports that are shown.
const MOST_IMPORTS: u32 = 50;

pub(super) fn run(
    world: &World,
    wanted: Import,
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    let source = Source::open(&wanted.file, console)?;
    let format = match wanted.format {
        Some(FormatArgument::Jsonl) => Some(Format::JsonLines),
        Some(FormatArgument::Csv) => Some(Format::Csv),
        None if wanted
            .file
            .extension()
            .is_some_and(|ending| ending == "csv") =>
        {
            Some(Format::Csv)
        }
        None => None,
    };
    let custom = custom_attributes(&world.settings);
    // Judged before anything is kept: a file that is wrong needs no key.
    let judged = imports::judge(source.read()?, format, &custom);
    if judged.bad > 0 && !wanted.skip_bad {
        return refuse(&judged, output);
    }
    if wanted.check {
        output.text(&format!(
            "{} users, all valid; nothing was changed",
            judged.valid
        ));
        output.json(json!({ "valid": judged.valid, "problems": [] }));
        return Ok(());
    }
    if judged.valid == 0 && judged.bad == 0 {
        output.text("0 added, 0 updated");
        output.json(json!({ "added": 0, "updated": 0, "problems": [] }));
        return Ok(());
    }
    let name = wanted
        .file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let key = match keys::load_key(&world.settings) {
        Err(missing @ KeyError::NoKeyFile(_)) => {
            let records = Records::read(source.read()?, format, &custom);
            let records: Vec<UserRecord> = records.filter_map(|(_, found)| found.ok()).collect();
            // Only secrets of one-time codes, and letters to those who are changed, are sealed for good. In a new
            // installation there is nobody to be told.
            let has_secrets = records.iter().any(|record| record.totp_secret.is_some());
            let may_write =
                world.settings.mail.is_some() && world.store.read_blocking(account::count)? > 0;
            if has_secrets || may_write {
                return Err(missing.into());
            }
            let from = (name.as_ref(), judged.bad);
            return at_once(world, from, records, output);
        }
        other => other?,
    };
    let file = ImportFile {
        name: name.into_owned(),
        input: source.read()?,
        format,
    };
    let id = imports::read(
        (&world.store, &key),
        &world.actor,
        (file, &custom),
        world.now,
    )?;
    let (actor, now, skips) = (world.actor.clone(), world.now, wanted.skip_bad);
    let of = id.clone();
    world
        .store
        .write_blocking(move |tx| imports::start(tx, &actor, (&of, skips), now))?;
    go_on(world, &id, console, output)
}

/// Without a key file nothing can be kept sealed: the file is applied by this process, and if it dies, again.
fn at_once(
    world: &World,
    (name, bad): (&str, i64),
    records: Vec<UserRecord>,
    output: &mut Output,
) -> Done {
    let from = (name, bad, records);
    let done = imports::apply_at_once(&world.store, &world.actor, from, world.now)?;
    output.text(&format!("{} added, {} updated", done.added, done.updated));
    output.json(json!({
        "added": done.added, "updated": done.updated, "left_out": bad, "problems": [],
    }));
    Ok(())
}

/// Applies an import to its end, which a server would do as well if this process died.
fn go_on(world: &World, id: &str, console: &mut Console<'_>, output: &mut Output) -> Done {
    let key = keys::load_key(&world.settings)?;
    let importer = Importer::only(Office::of(&world.settings, &key), id);
    let mut told = Instant::now();
    loop {
        match importer.turn_blocking((&world.store, &key), console.clock.now())? {
            Turn::Applied(_, done, total) => {
                if told.elapsed() >= PROGRESS {
                    told = Instant::now();
                    // Nobody is left to be told that this failed.
                    let _unheard = writeln!(console.err, "{done} of {total} lines applied");
                }
            }
            Turn::Finished(_) => break,
            Turn::Failed(_) => {
                return Err(Failure::Failed(format!(
                    "import {id} has failed: the lines that were kept cannot be opened with this key_file (or VARCO_KEY); what was applied stays. Import the file again"
                )));
            }
            Turn::Idle => {
                return Err(Failure::Failed(format!(
                    "import {id} is applied by a running server, ended, or was stopped; `varco user imports` shows it"
                )));
            }
        }
    }
    let known = find(world, id)?;
    let problems = imports::problems(&known);
    if known.bad_lines > 0 {
        output.text(&format!("{} lines were left out:", known.bad_lines));
        problems
            .iter()
            .for_each(|problem| output.text(&problem.to_string()));
    }
    output.text(&format!("{} added, {} updated", known.added, known.updated));
    output.json(json!({
        "import": id, "added": known.added, "updated": known.updated,
        "left_out": known.bad_lines, "problems": documents(&problems),
    }));
    Ok(())
}

fn refuse(judged: &Judgement, output: &mut Output) -> Done {
    let count = judged.problems.len();
    output.json(json!({ "problems": documents(&judged.problems) }));
    let last = format!("{count} problems; nothing was changed");
    if !output.json {
        let mut lines: Vec<String> = judged.problems.iter().map(ToString::to_string).collect();
        lines.push(last);
        return Err(Failure::Failed(lines.join("\n")));
    }
    output.failed(last);
    Ok(())
}

fn documents(problems: &[ImportProblem]) -> Vec<Value> {
    problems
        .iter()
        .map(|problem| json!({ "line": problem.line, "message": problem.fault.to_string() }))
        .collect()
}

fn find(world: &World, id: &str) -> Result<UserImport, Failure> {
    let found = world
        .store
        .read_blocking(|conn| user_import::find(conn, id))?;
    Ok(found.ok_or(imports::ImportError::Unknown)?)
}

pub(super) fn manage(
    world: &World,
    wanted: Imports,
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    if let Some(id) = wanted.resume {
        return go_on(world, &id, console, output);
    }
    if let Some(id) = wanted.cancel {
        let (actor, now, of) = (world.actor.clone(), world.now, id.clone());
        world
            .store
            .write_blocking(move |tx| imports::cancel(tx, &actor, &of, now))?;
        output.text(&format!("import {id} was stopped"));
        output.json(json!({ "import": id, "cancelled": true }));
        return Ok(());
    }
    if let Some(id) = wanted.report {
        let problems = imports::problems(&find(world, &id)?);
        problems
            .iter()
            .for_each(|problem| output.text(&problem.to_string()));
        output.json(json!({ "import": id, "problems": documents(&problems) }));
        return Ok(());
    }
    let found = world
        .store
        .read_blocking(|conn| user_import::search(conn, ImportKind::People, None, MOST_IMPORTS))?;
    let state = |known: &UserImport| format!("{:?}", known.state).to_lowercase();
    let rows: Vec<Vec<String>> = found
        .rows
        .iter()
        .map(|known| {
            vec![
                known.id.clone(),
                known.created_at.to_rfc3339(),
                state(known),
                format!("{} of {}", known.done_lines, known.valid_lines),
                known.bad_lines.to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        output.text("there are no imports");
    } else {
        output.table(&["IMPORT", "BEGUN", "STATE", "LINES", "WRONG"], &rows);
    }
    let list: Vec<Value> = found
        .rows
        .iter()
        .map(|known| {
            json!({
                "import": known.id, "state": state(known), "lines": known.valid_lines,
                "bad_lines": known.bad_lines, "done": known.done_lines,
                "added": known.added, "updated": known.updated,
            })
        })
        .collect();
    output.json(json!({ "imports": list }));
    Ok(())
}

/// What is read twice: a file, or all of standard input.
enum Source<'a> {
    File(&'a Path),
    Text(Vec<u8>),
}

impl<'a> Source<'a> {
    fn open(file: &'a Path, console: &mut Console<'_>) -> Result<Self, Failure> {
        let failed =
            |error: std::io::Error| Failure::Failed(format!("{}: {error}", file.display()));
        let (source, bytes) = if file.as_os_str() == "-" {
            let mut text = Vec::new();
            let mut input = console.input.take(MOST_FILE_BYTES + 1);
            let bytes = input.read_to_end(&mut text).map_err(failed)?;
            (Self::Text(text), u64::try_from(bytes).unwrap_or(u64::MAX))
        } else {
            let bytes = std::fs::metadata(file).map_err(failed)?.len();
            (Self::File(file), bytes)
        };
        if bytes > MOST_FILE_BYTES {
            return Err(Failure::Failed(format!(
                "{}: larger than 1 GiB; split it",
                file.display()
            )));
        }
        Ok(source)
    }

    fn read(&self) -> Result<Box<dyn BufRead + '_>, Failure> {
        Ok(match self {
            Self::Text(text) => Box::new(Cursor::new(text)),
            Self::File(file) => {
                let opened = std::fs::File::open(file)
                    .map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
                Box::new(BufReader::with_capacity(1 << 16, opened))
            }
        })
    }
}
