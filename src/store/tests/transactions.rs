use super::*;
use diesel::Connection;

fn count(db: &TestDb) -> i64 {
    db.read(account::count)
}

/// Of three such jobs, one succeeds, one fails, one panics.
fn job(conn: &mut DbConn, n: u32) -> Result<(), StoreError> {
    account::insert(conn, &account(&format!("user {n}")))?;
    match n % 3 {
        0 => Ok(()),
        1 => Err(StoreError::Migration("refused".into())),
        _ => conn.transaction(|_| panic!("a defect, inside a savepoint")),
    }
}

#[test]
fn a_job_that_fails_or_panics_is_rolled_back_alone() {
    on_both(|db| {
        let barrier = Barrier::new(30);
        std::thread::scope(|scope| {
            for n in 0..30 {
                let (store, barrier) = (&db.store, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let result = store.write_blocking(move |conn| job(conn, n));
                    match n % 3 {
                        0 => assert!(result.is_ok()),
                        1 => assert!(matches!(result, Err(StoreError::Migration(_)))),
                        _ => assert!(matches!(result, Err(StoreError::Panicked))),
                    }
                });
            }
        });
        assert_eq!(count(db), 10);
        db.write(|conn| account::insert(conn, &account("afterwards")));
        assert_eq!(count(db), 11);
    });
}

#[test]
fn an_answer_is_never_ok_when_the_transaction_was_not_kept() {
    on_both(|db| {
        db.write(|conn| account::insert(conn, &account("ada")));
        // The job passes over a failed statement, after which PostgreSQL commits nothing.
        let result: Result<(), StoreError> = db.store.write_blocking(|conn| {
            account::insert(conn, &account("before"))?;
            let duplicate = account::insert(conn, &account("ada"));
            assert!(duplicate.unwrap_err().is_duplicate());
            Ok(())
        });
        let kept = db.read(|conn| account::find_by_username(conn, "before"));
        assert_eq!(result.is_ok(), kept.is_some());
        db.write(|conn| account::insert(conn, &account("afterwards")));
    });
}

#[test]
fn reading_connections_of_sqlite_refuse_writes() {
    on_both(|db| {
        if db.store.backend() == Backend::Sqlite {
            let result = db
                .store
                .read_blocking(|conn| account::insert(conn, &account("ada")));
            assert!(result.is_err());
        }
    });
}

#[test]
fn the_asynchronous_interface_reads_what_it_wrote() {
    on_both(|db| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = &db.store;
            store.ping().await.unwrap();
            let jobs = (0..50).map(|n| {
                store.write(move |conn| account::insert(conn, &account(&format!("user {n}"))))
            });
            for result in futures_util::future::join_all(jobs).await {
                result.unwrap();
            }
            assert_eq!(store.read(account::count).await.unwrap(), 50);
            let panicked: Result<(), StoreError> = store.read(|_| panic!("a defect")).await;
            assert!(matches!(panicked, Err(StoreError::Panicked)));
            assert_eq!(store.read(account::count).await.unwrap(), 50);
        });
    });
}

#[test]
fn closing_does_what_was_accepted_and_refuses_the_rest() {
    on_both(|db| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = &db.store;
            let jobs = (0..100).map(|n| {
                store.write(move |conn| account::insert(conn, &account(&format!("user {n}"))))
            });
            let (results, ()) =
                futures_util::future::join(futures_util::future::join_all(jobs), store.close())
                    .await;
            let kept = results.iter().filter(|result| result.is_ok()).count();
            assert!(results.iter().all(|result| match result {
                Ok(()) => true,
                Err(error) => error.is_unavailable(),
            }));
            let late = store
                .write(|conn| account::insert(conn, &account("late")))
                .await;
            assert!(late.unwrap_err().is_unavailable());
            store.close().await;
            assert_eq!(db.read(account::count), i64::try_from(kept).unwrap());
            assert!(kept > 0);
        });
    });
}

#[test]
fn what_was_answered_survives_a_kill() {
    on_both(|db| {
        db.write(|conn| account::insert(conn, &account("ada")));
        if db.store.backend() == Backend::Sqlite {
            // The files as a kill or a power cut leaves them: nothing was closed, the log was not merged.
            let data = db.folder.path().join("data");
            let copy = db.folder.path().join("copy");
            std::fs::create_dir(&copy).unwrap();
            for name in ["varco.db", "varco.db-wal"] {
                std::fs::copy(data.join(name), copy.join(name)).unwrap();
            }
            let mut settings = db.settings.clone();
            settings.url = format!("sqlite://{}/varco.db", copy.display());
            settings.migrate = false;
            let store = Store::open(&settings).unwrap();
            assert_eq!(store.read_blocking(account::count).unwrap(), 1);
        }
        let again = Store::open(&db.settings).unwrap();
        assert_eq!(again.read_blocking(account::count).unwrap(), 1);
    });
}

#[test]
fn of_two_jobs_that_wait_for_each_other_one_is_told_to_try_again() {
    on_both(|db| {
        if db.store.backend() == Backend::Sqlite {
            return; // One writer: nobody waits for another.
        }
        let (ada, eve) = (account("ada"), account("eve"));
        let ids = [ada.id.clone(), eve.id.clone()];
        db.write(move |conn| {
            account::insert(conn, &ada)?;
            account::insert(conn, &eve)
        });
        let both_have_one = std::sync::Arc::new(Barrier::new(2));
        let switch_off = |first: usize, second: usize| {
            let (ids, met) = (ids.clone(), both_have_one.clone());
            db.store.write_blocking(move |conn| {
                account::set_enabled(conn, &ids[first], false, NOW)?;
                met.wait();
                account::set_enabled(conn, &ids[second], false, NOW).map(|_| ())
            })
        };
        let results: [Result<(), StoreError>; 2] = std::thread::scope(|scope| {
            let one = scope.spawn(|| switch_off(0, 1));
            let other = switch_off(1, 0);
            [one.join().unwrap(), other]
        });
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        for error in results.into_iter().filter_map(Result::err) {
            assert!(error.is_unavailable(), "{error}");
        }
    });
}
