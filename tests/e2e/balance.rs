//! Keyed-balance: who keeps which server, whoever writes the key.

use std::collections::HashMap;

use sekisho_tests::documents::{Documents, Pool, Server, home_secret};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, auth};
use sekisho_tests::sekisho::Sekisho;

use crate::scene::{Scene, acme};

const CALLING_STATION_ID: u8 = 31;
const SERVERS: [&str; 3] = ["home1", "home2", "home3"];

/// Three servers that say their name, chosen by Calling-Station-Id.
struct Three {
    scene: Scene,
    others: [Host; 2],
}

impl Three {
    fn new() -> Three {
        let mut scene = Scene::new();
        let others = ["home2", "home3"].map(|name| scene.network.host(name));
        Three { scene, others }
    }

    fn host(&self, n: usize) -> &Host {
        [&self.scene.home, &self.others[0], &self.others[1]][n]
    }

    fn documents(&self) -> Documents {
        let window = "response_window = \"300ms\"\nzombie_period = \"1s\"\nstatus_check = \"status-server\"\n\
                      check_interval = \"200ms\"\ncheck_timeout = \"150ms\"\nnum_answers_to_alive = 1";
        let servers: Vec<Server> =
            SERVERS.iter().enumerate().map(|(n, name)| Server::new(name, self.host(n).v4, window)).collect();
        let customer = acme(&self.scene.nas, "").pool(Pool::keyed("Calling-Station-Id", &servers));
        let hosts: Vec<&Host> = [&self.scene.nas].into_iter().chain((0..3).map(|n| self.host(n))).collect();
        Documents::new(&hosts).customer(customer)
    }

    fn willing(&self, n: usize) -> ScriptedHome {
        ScriptedHome::start(self.host(n), &home_secret(SERVERS[n]), move |asked| {
            vec![asked.accept_with(&[(18, SERVERS[n].as_bytes())])]
        })
    }
}

/// The name of the server that a device is sent to.
fn server(nas: &Nas, id: usize, number: &str) -> String {
    let request =
        nas.login_with(id as u8, "alice@acme.example", "wonderland", &[(CALLING_STATION_ID, number.as_bytes())]);
    let answer = nas.ask(auth(Family::V4), &request);
    String::from_utf8(answer.values(18).concat()).unwrap()
}

#[test]
fn one_number_however_written_has_one_server_and_arrives_as_it_was_written() {
    let three = Three::new();
    let homes = [0, 1, 2].map(|n| three.willing(n));
    let _sekisho = Sekisho::start(&three.scene.network, &three.documents());
    let nas = three.scene.scripted_nas(Family::V4);
    let mut written = Vec::new();
    for device in 0..30 {
        let national = format!("90{:08}", 12_345_678 + 7919 * device);
        let forms = [format!("81{national}"), format!("+81{national}"), format!("0{national}")];
        let servers: Vec<String> =
            forms.iter().enumerate().map(|(n, form)| server(&nas, 3 * device + n, form)).collect();
        assert!(servers.iter().all(|it| *it == servers[0]), "{forms:?}: {servers:?}");
        written.extend(forms.map(String::into_bytes));
    }
    let mut arrived: Vec<_> =
        homes.iter().flat_map(ScriptedHome::seen).flat_map(|asked| asked.values(CALLING_STATION_ID)).collect();
    written.sort();
    arrived.sort();
    assert_eq!(arrived, written);
}

#[test]
fn when_a_server_dies_its_devices_move_and_no_others_and_come_back_with_it() {
    let three = Three::new();
    let mut homes: Vec<Option<ScriptedHome>> = (0..3).map(|n| Some(three.willing(n))).collect();
    let sekisho = Sekisho::start(&three.scene.network, &three.documents());
    let nas = three.scene.scripted_nas(Family::V4);
    let devices: Vec<String> = (0..60).map(|n| format!("02-00-00-00-00-{n:02X}")).collect();
    let all = |first: usize| -> HashMap<&str, String> {
        devices.iter().enumerate().map(|(n, device)| (device.as_str(), server(&nas, first + n, device))).collect()
    };
    let before = all(0);
    for name in SERVERS {
        assert!(before.values().filter(|it| *it == name).count() >= 6, "{name} has its share: {before:?}");
    }
    homes[1] = None;
    // Somebody has to notice.
    let (device, _) = before.iter().find(|(_, server)| *server == "home2").unwrap();
    assert_ne!(server(&nas, 70, device), "home2");
    sekisho.becomes("home2", "auth", "dead");
    let meanwhile = all(100);
    for device in &devices {
        let (old, new) = (&before[device.as_str()], &meanwhile[device.as_str()]);
        if old == "home2" { assert_ne!(new, "home2") } else { assert_eq!(new, old) }
    }
    homes[1] = Some(three.willing(1));
    sekisho.becomes("home2", "auth", "alive");
    assert_eq!(all(180), before);
}

#[test]
fn after_a_restart_every_device_has_the_server_that_it_had() {
    let three = Three::new();
    let _homes = [0, 1, 2].map(|n| three.willing(n));
    let documents = three.documents();
    let nas = three.scene.scripted_nas(Family::V4);
    let all =
        |first: usize| -> Vec<String> { (0..20).map(|n| server(&nas, first + n, &format!("device {n}"))).collect() };
    let sekisho = Sekisho::start(&three.scene.network, &documents);
    let before = all(0);
    sekisho.stop();
    let _sekisho = Sekisho::start(&three.scene.network, &documents);
    assert_eq!(all(100), before);
}
