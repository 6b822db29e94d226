//! The template engine, what all pages share, and one file per group of pages.

pub mod account;
pub mod check;
pub mod consent;
pub mod consents;
pub mod demo;
pub mod desk;
pub mod history;
mod links;
pub mod login;
pub mod mailbox;
pub mod message;
pub mod other_channel;
pub mod refusal;
pub mod second_factor;

pub(super) use second_factor::StepView;

use super::assets::{Assets, read_folder};
use super::catalog::{self, Arguments};
use super::{Locale, PageError, dates};
use crate::clock::UtcTime;
use fluent_bundle::FluentValue;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tera::{Context, Kwargs, State, Tera, TeraResult, Value};

#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/templates"]
struct Templates;

/// A page: its data is its struct, its form a template, its words the catalogue's.
pub trait Page: Serialize {
    /// The template's name below `templates/`.
    const TEMPLATE: &'static str;

    /// The page as HTML, UTF-8.
    ///
    /// # Errors
    /// When the template, or a message or static file that it names, misses: never with the embedded ones.
    fn render(&self, pages: &Pages, layout: &Layout) -> Result<String, PageError> {
        pages.render(Self::TEMPLATE, self, layout)
    }
}

/// The templates and static files; made once, shared by all requests.
#[derive(Debug)]
pub struct Pages {
    tera: Tera,
    assets: Arc<Assets>,
}

impl Pages {
    /// The embedded templates and static files; those in `templates/` and `static/` of the folder replace them by name.
    ///
    /// # Errors
    /// When the folder cannot be read or a template of it is wrong.
    pub fn new(override_folder: Option<&Path>) -> Result<Self, PageError> {
        let below = |name: &str| {
            override_folder
                .map(|folder| folder.join(name))
                .filter(|folder| folder.is_dir())
        };
        let assets = Arc::new(Assets::load(below("static").as_deref())?);
        let mut tera = Tera::default();
        register_functions(&mut tera, &assets);
        tera.register_test("web_link", |value: &Value, _: Kwargs, _: &State| {
            value.as_str().is_some_and(links::is_web)
        });
        tera.register_test("safe_link", |value: &Value, _: Kwargs, _: &State| {
            value.as_str().is_some_and(links::runs_no_script)
        });
        tera.add_raw_templates(templates(below("templates").as_deref())?)
            .map_err(PageError::Templates)?;
        Ok(Self { tera, assets })
    }

    /// The static files.
    #[must_use]
    pub fn assets(&self) -> &Assets {
        &self.assets
    }

    fn render<P: Serialize + ?Sized>(
        &self,
        template: &str,
        page: &P,
        layout: &Layout,
    ) -> Result<String, PageError> {
        let mut context = Context::new();
        context.insert("lang", layout.locale.code());
        context.insert("layout", layout);
        context.insert("attribute_names", &layout.attribute_names);
        context.insert("page", page);
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that renders; pages are typed"
        )]
        let html = self.tera.render(template, &context);
        html.map_err(|source| PageError::Template {
            template: template.to_owned(),
            source,
        })
    }
}

/// Who the pages speak for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Brand {
    /// `SPID`, `CIE` or `OpenID`.
    pub name: String,
    /// A class on `<body>`: `brand-spid`, `brand-cie`, `brand-openid`.
    pub css_class: String,
    /// The logo's path below [`super::STATIC_PATH`].
    pub logo: String,
}

impl Brand {
    /// The demonstration's own pages.
    #[must_use]
    pub fn demo() -> Self {
        Self::named("Varco demo", "openid")
    }

    /// A name for people, and the short name that stylesheet and logo carry.
    #[must_use]
    pub fn named(name: &str, slug: &str) -> Self {
        Self {
            name: name.to_owned(),
            css_class: format!("brand-{slug}"),
            logo: format!("brand/{slug}.svg"),
        }
    }
}

/// What surrounds every page.
#[derive(Clone, Debug, Serialize)]
pub struct Layout {
    /// The language of the page.
    pub locale: Locale,
    /// The issuer's path without a final slash (`/spid`, or empty at the host root): the links of header and navigation.
    pub issuer_path: String,
    /// Who runs the issuer.
    pub organization_name: String,
    /// The organisation's logo; the brand's own when absent. Its origin must be in the CSP's `img-src`.
    pub logo_url: Option<String>,
    /// The stylesheet of the organisation's colours; the brand's own when absent.
    pub style_url: Option<String>,
    /// The organisation's privacy notice.
    pub policy_url: Option<String>,
    /// Names of attributes that replace those of the catalogue, by canonical claim.
    #[serde(skip)]
    pub attribute_names: BTreeMap<String, String>,
    /// The profile's name, colours and logo.
    pub profile_brand: Brand,
    /// The language switch: this page's address in each language; empty hides it (answers to a POST).
    #[serde(serialize_with = "language_links")]
    pub language_links: Vec<(Locale, String)>,
    /// The reference that finds the log line.
    pub request_id: String,
    /// Shows that this is no real service.
    pub development: bool,
    /// Who is logged in.
    pub signed_in_as: Option<String>,
    /// Whether the header links to the start and history pages: not during a login for a relying party.
    pub nav: bool,
}

fn language_links<S: serde::Serializer>(
    links: &[(Locale, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct LanguageLink<'a> {
        code: &'static str,
        name: &'static str,
        url: &'a str,
    }
    serializer.collect_seq(links.iter().map(|(locale, url)| LanguageLink {
        code: locale.code(),
        name: locale.own_name(),
        url,
    }))
}

/// A relying party as the citizen sees it. Everything comes from its verified metadata.
#[derive(Clone, Debug, Serialize)]
pub struct RpView {
    /// `client_name` or `organization_name`; the entity identifier when it has neither.
    pub name: String,
    /// Its `client_id`.
    pub entity_id: String,
    /// `logo_uri`; https only, its origin must be in the CSP's `img-src`.
    pub logo_url: Option<String>,
    /// `policy_uri`; https only.
    pub policy_url: Option<String>,
}

/// A link with its text.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// Where to; only addresses that the handler verified.
    pub url: String,
    /// What it says.
    pub text: String,
}

fn templates(override_folder: Option<&Path>) -> Result<Vec<(String, String)>, PageError> {
    let mut found = BTreeMap::new();
    for name in Templates::iter() {
        if let Some(file) = Templates::get(&name) {
            found.insert(name.to_string(), file.data.into_owned());
        }
    }
    if let Some(folder) = override_folder {
        found.extend(read_folder(folder)?);
    }
    found
        .into_iter()
        .map(|(name, bytes)| match String::from_utf8(bytes) {
            Ok(text) => Ok((name, text)),
            Err(_) => Err(PageError::Encoding(name)),
        })
        .collect()
}

/// The functions of the templates:
/// `t(key=…, argument=…)`, `asset(path=…)`, `date_time(at=…)`, `bar_time(at=…, seconds=…)`, `iso_time(at=…)`, `attribute_name(claim=…)`.
/// None of their answers is marked safe: all are escaped like any other value.
fn register_functions(tera: &mut Tera, assets: &Arc<Assets>) {
    tera.register_function("t", |arguments: Kwargs, state: &State| {
        let key = arguments.must_get::<&str>("key")?;
        let values = fluent_arguments(&arguments);
        catalog::translate(locale_of(state)?, key, &values).map_err(tera::Error::message)
    });
    let assets = Arc::clone(assets);
    tera.register_function("asset", move |arguments: Kwargs, _: &State| {
        let path = arguments.must_get::<&str>("path")?;
        assets
            .url(path)
            .ok_or_else(|| tera::Error::message(format!("no static file `{path}`")))
    });
    tera.register_function("date_time", |arguments: Kwargs, state: &State| {
        let time = UtcTime(arguments.must_get::<i64>("at")?);
        TeraResult::Ok(dates::date_time(locale_of(state)?, time))
    });
    tera.register_function("bar_time", |arguments: Kwargs, state: &State| {
        let time = UtcTime(arguments.must_get::<i64>("at")?);
        let seconds = arguments.must_get::<i64>("seconds")?;
        TeraResult::Ok(dates::short(locale_of(state)?, time, seconds))
    });
    tera.register_function("iso_time", |arguments: Kwargs, _: &State| {
        let time = UtcTime(arguments.must_get::<i64>("at")?);
        TeraResult::Ok(time.to_rfc3339())
    });
    tera.register_function("attribute_name", |arguments: Kwargs, state: &State| {
        let claim = arguments.must_get::<&str>("claim")?;
        let locale = locale_of(state)?;
        let configured: Option<Value> = state.get("attribute_names")?;
        let own = configured
            .as_ref()
            .and_then(|names| names.get_from_path(catalog::canonical_claim(claim)))
            .and_then(|name| name.as_str().map(str::to_owned));
        TeraResult::Ok(own.unwrap_or_else(|| catalog::attribute_name(locale, claim)))
    });
}

fn locale_of(state: &State) -> TeraResult<Locale> {
    state
        .get::<String>("lang")?
        .and_then(|code| Locale::parse(&code))
        .ok_or_else(|| tera::Error::message("no language in the context"))
}

fn fluent_arguments(arguments: &Kwargs) -> Arguments {
    let mut values = Arguments::new();
    for (name, value) in arguments.iter() {
        let Some(name) = name.as_str().filter(|name| *name != "key") else {
            continue;
        };
        let value = if let Some(text) = value.as_str() {
            FluentValue::from(text.to_owned())
        } else if let Some(number) = value.as_i64() {
            FluentValue::from(number)
        } else {
            // Left out: the message then misses its argument, which is an error.
            continue;
        };
        values.insert(Cow::Owned(name.to_owned()), value);
    }
    values
}
