use super::*;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

fn works(store: &Store) -> Result<(), StoreError> {
    store.write_blocking(|conn| account::insert(conn, &account(&crate::random::identifier())))?;
    store.read_blocking(account::count).map(|_| ())
}

#[test]
fn a_database_that_goes_away_is_unavailable_and_recovers_by_itself() {
    on_both(|db| {
        works(&db.store).unwrap();
        match &db.server {
            None => {
                let data = db.folder.path().join("data");
                let away = db.folder.path().join("away");
                std::fs::rename(&data, &away).unwrap();
                let write = db
                    .store
                    .write_blocking(|conn| account::insert(conn, &account("lost")));
                assert!(write.unwrap_err().is_unavailable());
                let read = db.store.read_blocking(account::count);
                assert!(read.unwrap_err().is_unavailable());
                // An empty folder is no database either, and none is made in it.
                std::fs::create_dir(&data).unwrap();
                assert!(works(&db.store).unwrap_err().is_unavailable());
                assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0);
                std::fs::remove_dir(&data).unwrap();
                std::fs::rename(&away, &data).unwrap();
                works(&db.store).unwrap();
                // A restored copy is another file: old connections would write into nothing.
                let file = data.join("varco.db");
                for name in ["varco.db", "varco.db-wal", "varco.db-shm"] {
                    std::fs::rename(data.join(name), data.join(format!("old-{name}"))).unwrap();
                }
                std::fs::copy(data.join("old-varco.db-wal"), data.join("varco.db-wal")).unwrap();
                std::fs::copy(data.join("old-varco.db"), file).unwrap();
            }
            Some((server, schema)) => {
                let kill = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{schema}'"
                );
                admin(server, &kill);
                let during = works(&db.store);
                assert!(during.is_ok() || during.unwrap_err().is_unavailable());
            }
        }
        works(&db.store).unwrap();
        works(&db.store).unwrap();
    });
}

#[test]
fn a_database_that_is_not_there_is_unavailable_and_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("sqlite://{}/no/varco.db", folder.path().display());
    let unmade = format!("sqlite://{}/varco.db", folder.path().display());
    for (url, migrate) in [
        (missing, true),
        (unmade, false),
        ("postgres://varco@127.0.0.1:1/varco".into(), true),
    ] {
        let mut settings = settings(url);
        settings.migrate = migrate;
        let error = Store::open(&settings).map(|_| ()).unwrap_err();
        assert!(error.is_unavailable(), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_writer_that_cannot_get_the_lock_or_space_is_unavailable_not_broken() {
    on_both(|db| {
        if db.store.backend() == Backend::Postgres {
            return;
        }
        db.write(|conn| {
            diesel::sql_query("PRAGMA max_page_count = 1").execute(conn)?;
            Ok(())
        });
        let full: Result<(), StoreError> = db.store.write_blocking(|conn| {
            (0..2_000).try_for_each(|n| account::insert(conn, &account(&format!("user {n}"))))
        });
        assert!(full.unwrap_err().is_unavailable());
        db.write(|conn| {
            diesel::sql_query("PRAGMA max_page_count = 1000000").execute(conn)?;
            Ok(())
        });
        works(&db.store).unwrap();
        assert_eq!(db.read(account::count), 1);
    });
}

/// A way to the server that can be cut.
struct Proxy {
    port: u16,
    cut: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    acceptor: JoinHandle<()>,
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let _cut = std::io::copy(&mut from, &mut to);
        let _closed = to.shutdown(Shutdown::Both);
    });
}

impl Proxy {
    fn start(port: u16, target: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicBool::new(false));
        let streams = Arc::new(Mutex::new(Vec::new()));
        let (stop, kept) = (cut.clone(), streams.clone());
        let acceptor = std::thread::spawn(move || {
            for client in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let client = client.unwrap();
                let server = TcpStream::connect(&target).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    kept.lock().unwrap().push(from.try_clone().unwrap());
                    forward(from.try_clone().unwrap(), to.try_clone().unwrap());
                }
            }
        });
        Self {
            port,
            cut,
            streams,
            acceptor,
        }
    }

    fn cut(self) {
        self.cut.store(true, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        self.acceptor.join().unwrap();
        for stream in self.streams.lock().unwrap().iter() {
            let _closed = stream.shutdown(Shutdown::Both);
        }
    }
}

#[test]
fn a_server_that_cannot_be_reached_is_unavailable_until_it_can() {
    on_both(|db| {
        let Some((server, _)) = &db.server else {
            return;
        };
        let mut url = url::Url::parse(&db.settings.url).unwrap();
        let address = url::Url::parse(server).unwrap();
        let Some(host) = address.host_str().filter(|host| !host.is_empty()) else {
            return; // A socket in the file system.
        };
        let target = format!("{host}:{}", address.port().unwrap_or(5432));
        let proxy = Proxy::start(0, target.clone());
        let port = proxy.port;
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(port)).unwrap();
        let store = Store::open(&settings(url.to_string())).unwrap();
        works(&store).unwrap();
        proxy.cut();
        for _ in 0..2 {
            assert!(works(&store).unwrap_err().is_unavailable());
        }
        let proxy = Proxy::start(port, target);
        works(&store).unwrap();
        works(&store).unwrap();
        drop(store);
        proxy.cut();
    });
}
