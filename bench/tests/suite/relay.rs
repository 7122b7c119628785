//! A load reaches a home server through the relay.

use crate::common::{home, plan, run};
use sekisho_bench::home::Faults;
use sekisho_bench::load::{Kind, Plan};
use sekisho_bench::relay::Relay;
use sekisho_bench::stop::Stop;

#[test]
fn both_kinds_pass_the_relay_unharmed() {
    for (ip, any) in [("127.0.0.1", "127.0.0.1:0"), ("::1", "[::1]:0")] {
        let home = home(ip, Faults::default());
        let any = any.parse().unwrap();
        let ways = [(any, home.authentication.unwrap()), (any, home.accounting.unwrap())];
        let relay = Relay::bind(&ways).unwrap();
        let addresses = relay.addresses().unwrap();
        let stop = Stop::default();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| relay.run(&stop));
            for (kind, target) in [(Kind::Pap, addresses[0]), (Kind::Acct, addresses[1])] {
                let report = run(&Plan { ports: Some(6), ..plan(kind, target) });
                assert_eq!((report.completed, report.lost, report.bad), (2000, 0, 0), "{ip} {kind:?}");
            }
            stop.set();
            running.join().unwrap().unwrap();
        });
        assert_eq!(home.stop().unwrap().distinct, 4000);
    }
}
