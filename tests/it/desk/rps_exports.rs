//! A file of RPs is whole, or there is none.

use super::rps_imports::exported;
use crate::harness::World;
use varco::administration::parties::exchange::entries_of;
use varco::store::client::{ClientFilter, ClientOrigin};

#[actix_web::test]
async fn where_there_are_more_rps_than_a_file_takes_there_is_no_file_of_some() {
    let world = World::start();
    for name in ["shop", "school", "library"] {
        world.register("none", &["--client-id", name]);
    }
    let filter = ClientFilter {
        origin: Some(ClientOrigin::Registered),
        ..ClientFilter::default()
    };
    let read = |most: usize| {
        let filter = filter.clone();
        let store = &world.app.shared.store;
        store.read_blocking(move |conn| entries_of(conn, &filter, most))
    };
    let all = read(1_000).unwrap().unwrap();
    assert!(all.len() >= 3, "{all:?}");
    assert_eq!(read(all.len()).unwrap(), Some(all.clone()));
    assert_eq!(read(all.len() - 1).unwrap(), None);
    assert_eq!(read(0).unwrap(), None);
    // What the desk hands out is what there is.
    let mut desk = world.desk().await;
    let file = exported(&world, &mut desk).await;
    let entries = file["relying_parties"].as_array().unwrap();
    for name in ["shop", "school", "library"] {
        assert!(entries.iter().any(|one| one["client_id"] == name), "{name}");
    }
}
