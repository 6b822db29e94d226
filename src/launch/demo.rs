//! `varco demo`: issuers, trust anchor, intermediate and relying parties in one process on embedded SQLite.

use super::open;
use crate::accounts::{Format, hash_password, import};
use crate::administration::{command_line_actor, operators};
use crate::cli::DemoOptions;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Environment, IssuerSettings, ServerSettings};
use crate::demo::onboarding::{Judgement, Judges};
use crate::demo::{self, DemoFederation, DemoKeys, Http, HttpClient};
use crate::federation::EntityId;
use crate::model::{ClientId, Role};
use crate::profile::RegistrationType;
use crate::profile::acr::SPID_L1;
use crate::provider::Provider;
use crate::store::{account, operator};
use crate::web::{self, App, Running};
use futures_util::future::{BoxFuture, join_all};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

/// The parts of a running demonstration; also the world of tests and of the benchmark.
pub struct Demonstration {
    /// The issuers.
    pub app: App,
    /// Trust anchor, intermediate, relying parties.
    pub federation: Arc<DemoFederation>,
}

impl Demonstration {
    /// Puts everything together for a base URL such as `http://127.0.0.1:8000`. `adjust` may change the settings
    /// before they are used. Blocks.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn open(
        base_url: &str,
        folder: &Path,
        keys: DemoKeys,
        clock: Arc<dyn Clock>,
        adjust: impl FnOnce(&mut ServerSettings),
    ) -> Result<Self, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let client: Arc<dyn Http> = Arc::new(HttpClient::new().map_err(|error| text(&error))?);
        let federation = DemoFederation::new(base_url, keys, clock.clone(), client)
            .map_err(|error| text(&error))?;
        let federation = Arc::new(federation);
        let mut settings = settings(&federation, folder)?;
        adjust(&mut settings);
        let app = open(settings, true, clock)?;
        for op in &app.providers {
            if op.is_member() {
                let jwks = op.rings().federation.published_jwks().clone();
                federation.attest_provider(&op.settings.id, jwks);
            }
        }
        add_users(&app)?;
        add_operator(&app)?;
        Ok(Self { app, federation })
    }

    /// Serves it.
    ///
    /// # Errors
    /// The server does not start.
    pub fn serve(&self, listener: TcpListener) -> Result<Running, String> {
        let (federation, pages) = (self.federation.clone(), self.app.pages.clone());
        web::serve(self.app.clone(), listener, move |config| {
            demo::routes(config, federation.clone(), pages.clone());
        })
        .map_err(|error| error.to_string())
    }
}

/// `varco demo`.
///
/// # Errors
/// Why it did not start, or how it ended.
pub fn demo(options: DemoOptions) -> Result<(), String> {
    super::start_logging();
    std::fs::create_dir_all(&options.data)
        .map_err(|error| format!("{}: {error}", options.data.display()))?;
    let base_url = if options.localhost {
        format!("http://localhost:{}", options.listen.port())
    } else {
        format!("http://{}", options.listen)
    };
    let keys = DemoKeys::load_or_create(&options.data.join("demo-keys"))
        .map_err(|error| error.to_string())?;
    super::run(async move {
        let listener = web::listen(options.listen).map_err(|error| error.to_string())?;
        let demonstration = Demonstration::open(
            &base_url,
            &options.data,
            keys,
            Arc::new(SystemClock),
            |settings| {
                if options.second_factor {
                    settings.issuers.iter_mut().for_each(password_for_level_one);
                    settings.desk_second_factor = true;
                }
            },
        )?;
        // Not before the address is ours: the file of a demonstration that runs there already stays.
        let judges = Arc::new(Issuers(demonstration.app.providers.clone()));
        demonstration
            .federation
            .open_desk(&options.data, judges)
            .map_err(|error| error.to_string())?;
        let running = demonstration.serve(listener)?;
        announce(&base_url, &options.data);
        running
            .until_stopped()
            .await
            .map_err(|error| error.to_string())
    })
}

/// The issuers of the federation, as judges of relying parties that join.
struct Issuers(Vec<Arc<Provider>>);

impl Judges for Issuers {
    fn judge<'a>(&'a self, entity_id: &'a EntityId) -> BoxFuture<'a, Vec<Judgement>> {
        let client_id = ClientId::new(entity_id.to_string());
        // Others are registered when they ask for it.
        let automatic =
            |op: &&Arc<Provider>| op.profile.federation.registration == RegistrationType::Automatic;
        let members = self.0.iter().filter(automatic);
        let judged = members.map(move |op| {
            let client_id = client_id.clone();
            async move {
                // As at a login, but past the failures that are remembered for a while: what was mended counts at once.
                let outcome = op.renew(&client_id).await;
                Judgement {
                    by: op.settings.id.clone(),
                    refusal: outcome.err().map(|error| error.reason()),
                }
            }
        });
        Box::pin(join_all(judged))
    }
}

/// As in production: the password reaches level 1, a second factor level 2.
fn password_for_level_one(issuer: &mut IssuerSettings) {
    issuer.password_levels = vec![SPID_L1.to_owned()];
}

/// The demonstration is configured like any other process: by a file, kept for the other commands to use.
fn settings(federation: &DemoFederation, folder: &Path) -> Result<ServerSettings, String> {
    let text = configuration(federation)?;
    let file = folder.join("varco.toml");
    std::fs::write(&file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
    config::parse(&text, folder, &Environment::default()).map_err(|error| error.to_string())
}

fn configuration(federation: &DemoFederation) -> Result<String, String> {
    let base = federation.base_url();
    let anchor = federation.entity_id(demo::path::TRUST_ANCHOR);
    let public = federation.relying_party_mark_type();
    let private = federation.private_relying_party_mark_type();
    let mut text = format!(
        "# Made by `varco demo` at every start; changes are lost.\n\
         listen = \"{}\"\ndatabase_url = \"sqlite://varco.db\"\ndevelopment = true\nkey_file = \"varco.key\"\n",
        base.trim_start_matches("http://")
            .replace("localhost", "127.0.0.1")
    );
    for (path, profile, logo, name) in [
        (demo::path::SPID, "spid", "spid", "Identità di prova (SPID)"),
        (demo::path::CIE, "cie", "cie", "Identità di prova (CIE)"),
        (demo::path::OIDC, "oidc", "openid", "Identità di prova"),
    ] {
        let id = federation.entity_id(path);
        text.push_str(&format!(
            "\n[[issuer]]\nid = \"{id}\"\nprofile = \"{profile}\"\norganization_name = \"{name}\"\n\
             homepage_uri = \"{base}/\"\npolicy_uri = \"{base}/\"\nlogo_uri = \"{base}/static/brand/{logo}.svg\"\n\
             contacts = [\"demo@pec.example.it\"]\npairwise_salt = \"demonstration of varco, not secret\"\n\
             password_levels = [\"https://www.spid.gov.it/SpidL1\", \"https://www.spid.gov.it/SpidL2\", \"https://www.spid.gov.it/SpidL3\"]\nsecond_factors = [\"totp\", \"security_key\", \"recovery\"]\nenrolment = \"password\"\n",
        ));
        let mark = federation
            .provider_trust_mark(&id)
            .map_err(|error| error.to_string())?;
        text.push_str(&format!(
            "authority_hints = [\"{anchor}\"]\nrequired_trust_marks = [\"{public}\", \"{private}\"]\n\
             trust_mark_status = \"dynamic\"\ntrust_marks = [\"{mark}\"]\n\
             [[issuer.trust_anchor]]\nid = \"{anchor}\"\njwks = {}\n",
            inline_table(&federation.jwks())
        ));
    }
    Ok(text)
}

/// A JWKS as an inline TOML table: text, arrays and tables only.
fn inline_table(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(members) => {
            let pairs: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{name} = {}", inline_table(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline_table).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// The test users, once.
fn add_users(app: &App) -> Result<(), String> {
    let store = &app.shared.store;
    let count = store
        .read_blocking(account::count)
        .map_err(|error| error.to_string())?;
    if count > 0 {
        return Ok(());
    }
    let records = import::read(
        demo::users().as_bytes(),
        Some(Format::JsonLines),
        &BTreeSet::new(),
    )
    .map_err(|problems| format!("the demonstration's users: {problems:?}"))?;
    let key = &app.shared.key_encryption_key;
    let now = app.shared.clock.now();
    // Nobody was there before, who would have to be told.
    import::apply(store, records, Some(key), now, |_, _| Ok(()))
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// The operator of the demonstration: name and password.
pub const OPERATOR: (&str, &str) = ("olga", "olga-demo-desk");

/// Somebody who may use the desk, once.
fn add_operator(app: &App) -> Result<(), String> {
    let (name, password) = OPERATOR;
    let store = &app.shared.store;
    let known = store
        .read_blocking(|conn| operator::find_by_name(conn, name))
        .map_err(|error| error.to_string())?;
    if known.is_some() {
        return Ok(());
    }
    let hash = hash_password(password).map_err(|error| error.to_string())?;
    let now = app.shared.clock.now();
    let actor = command_line_actor(Some("demo"));
    store
        .write_blocking(move |tx| {
            operators::add(tx, &actor, (name, Role::Administrator, hash), now)
        })
        .map(|_| ())
        .map_err(|error| error.to_string())
}

fn announce(base_url: &str, folder: &Path) {
    let mut text = format!(
        "\nVarco demonstration\n\n  Open            {base_url}/\n  Relying party   {base_url}/rp/            (below the trust anchor)\n  \
         Relying party   {base_url}/rp-aggregated/ (below an intermediate)\n  History         {base_url}/spid/history   {base_url}/cie/history\n  \
         Mailbox         {base_url}/mailbox/\n  \
         Administration  {base_url}/admin          ({} / {})\n  \
         Data            {}  (configuration for the other commands: --config {2}/varco.toml)\n  \
         Your own RP     varco demo ta add http://127.0.0.1:9000/ --data {2}  (in another terminal)\n\n  Log in as\n",
        OPERATOR.0,
        OPERATOR.1,
        folder.display()
    );
    for (username, password) in demo::credentials() {
        text.push_str(&format!("    {username:<10} {password}\n"));
    }
    text.push_str("\n  Stop with Ctrl-C.\n");
    let _unheard = std::io::stdout().write_all(text.as_bytes());
}
