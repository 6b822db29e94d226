//! The kill switch: an RP is switched off at one node, and another node, a process of its own, is asked until it refuses.

use super::tour::desk;
use super::{Place, percentile};
use crate::browser::Browser;
use crate::http::Connection;
use crate::load::Target;
use crate::rounds::{free_address, target};
use crate::server::Node;
use std::time::{Duration, Instant};
use varco::demo::LoginOptions;

/// How often it is thrown.
const TIMES: usize = 10;
/// Between questions to the other node.
const PAUSE: Duration = Duration::from_millis(10);

pub struct Switched {
    /// From sending the form until a refusal, sorted.
    off: Vec<Duration>,
    /// And until it is accepted again.
    on: Vec<Duration>,
}

pub fn measure(place: &Place) -> Switched {
    let address = free_address();
    let other = Node {
        address: &address,
        ..place.node()
    };
    let process = other.start(&place.cores);
    let target = target(&place.folder, &place.address, "spid");
    let mut desk = desk(place);
    let mut asked = Connection::open(&address);
    assert!(is_accepted(&target, &mut asked), "before the switch");
    let (mut off, mut on) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        off.push(switch(&mut desk, &target, "disable", || {
            !is_accepted(&target, &mut asked)
        }));
        on.push(switch(&mut desk, &target, "enable", || {
            is_accepted(&target, &mut asked)
        }));
    }
    process.stop();
    off.sort_unstable();
    on.sort_unstable();
    Switched { off, on }
}

/// Until it is obeyed.
fn switch(
    desk: &mut Browser,
    target: &Target,
    change: &str,
    mut obeyed: impl FnMut() -> bool,
) -> Duration {
    let rp = target.rp().entity_id().to_string();
    let fields = [
        ("issuer", "spid"),
        ("client_id", rp.as_str()),
        ("change", change),
    ];
    let began = Instant::now();
    desk.connect_again();
    let answer = desk.submit("/admin/rps/check", "/admin/rps/change", &fields);
    assert_eq!(answer.status, 303, "{}", answer.body);
    while !obeyed() {
        #[expect(
            clippy::disallowed_methods,
            reason = "the node polls by the real clock"
        )]
        std::thread::sleep(PAUSE);
    }
    began.elapsed()
}

/// Whether the node takes an authorization request: it leads to the login then.
fn is_accepted(target: &Target, node: &mut Connection) -> bool {
    let options = LoginOptions::default();
    let request = target
        .rp()
        .authorization_request(&target.provider, &options)
        .unwrap();
    let path = request.url.split_once(&target.address).unwrap().1;
    node.get(path, "").status == 303
}

impl Switched {
    pub fn print(&self) {
        println!("\nkill switch, until the other node obeys (goal 2000 ms)");
        for (name, times) in [("off", &self.off), ("on", &self.on)] {
            println!(
                "  {name:<5} p50 {:>8.0}  max {:>8.0} ms  ({} times)",
                percentile(times, 50),
                percentile(times, 100),
                times.len()
            );
        }
    }
}
