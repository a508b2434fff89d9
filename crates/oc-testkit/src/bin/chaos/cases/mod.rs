//! The catalogue: one file per fault, in the order of their ids.

mod c10_agent;
mod c1_syntax;
mod c2_required_key;
mod c3_unknown_key;
mod c4_wrong_type;
mod c5_truncated;
mod c6_missing;
mod c7_own_doctor_harms;
mod c8_backup_bad_too;
mod c9_edited_meanwhile;
mod d1_upstream;
mod d2_missing_module;
mod d3_credential;
mod e1_ten_crashes;
mod e2_mode_deleted;
mod e3_nuclear;
mod f1_disk_full;
mod f2_read_only;
mod f3_broken_history;
mod f4_open_secrets;
mod f5_huge_log;
mod f6_symlink;
mod f7_full_and_broken;
mod h10_endless;
mod h1_accept_and_stall;
mod h2_trickle;
mod h3_server_error;
mod h4_wrong_body;
mod h5_deep_hangs;
mod h6_safe_mode;
mod h7_reset;
mod h8_stranger;
mod h9_redirects;
mod k1_overlap;
mod k2_two_healers;
mod k3_holder_dies;
mod k4_leaked_lock;
mod k5_pid_reuse;
mod n1_no_internet;
mod n2_ipv6_only;
mod n3_no_ports;
mod n4_latency;
mod p10_ignores_term;
mod p11_uninterruptible;
mod p1_crash;
mod p2_clean_exit;
mod p3_crash_loop;
mod p4_exit_78;
mod p5_abort;
mod p6_frozen;
mod p7_zombie;
mod p8_orphan_on_port;
mod p9_worker_dead;
mod r1_leak;
mod r2_oom_kill;
mod r3_short_block;
mod r4_starved;
mod r5_descriptors;
mod r6_no_processes;
mod s1_unloaded;
mod s1b_unloaded_on_purpose;
mod s2_start_limit;
mod s2b_masked;
mod s3_not_reloaded;
mod s4_no_manager;
mod s4b_no_manager_and_hung;
mod s4c_logged_out;
mod s5_two_managers;
mod s5b_rival_hangs;
mod t1_clock_step;
mod t2_suspend;
mod w1_killed_mid_repair;
mod w2_no_probe;
mod w3_agent;
mod w4_hostile_log;
mod w5_notifier_down;
mod w6_alert_storm;
mod x10_own_stop;
mod x1_healthy;
mod x2_slow_start;
mod x3_stopped_on_purpose;
mod x4_maintenance;
mod x5_pauses;
mod x6_load;
mod x7_upgrade;
mod x8_broken_edit;
mod x9_broken_port;

use crate::case::Case;

/// Every case.
pub(crate) const ALL: &[&Case] = &[
    &p1_crash::P1,
    &p2_clean_exit::P2,
    &p3_crash_loop::P3,
    &p4_exit_78::P4,
    &p5_abort::P5,
    &p6_frozen::P6,
    &p7_zombie::P7,
    &p8_orphan_on_port::P8,
    &p9_worker_dead::P9,
    &p10_ignores_term::P10,
    &p11_uninterruptible::P11,
    &h1_accept_and_stall::H1,
    &h2_trickle::H2,
    &h3_server_error::H3,
    &h4_wrong_body::H4,
    &h5_deep_hangs::H5,
    &h6_safe_mode::H6,
    &h7_reset::H7,
    &h8_stranger::H8,
    &h9_redirects::H9,
    &h10_endless::H10,
    &r1_leak::R1,
    &r2_oom_kill::R2,
    &r3_short_block::R3,
    &r4_starved::R4,
    &r5_descriptors::R5,
    &r6_no_processes::R6,
    &c1_syntax::C1F,
    &c2_required_key::C2F,
    &c3_unknown_key::C3F,
    &c4_wrong_type::C4F,
    &c5_truncated::C5F,
    &c6_missing::C6F,
    &c7_own_doctor_harms::C7F,
    &c8_backup_bad_too::C8F,
    &c9_edited_meanwhile::C9F,
    &c10_agent::C10F,
    &f1_disk_full::F1,
    &f2_read_only::F2,
    &f3_broken_history::F3,
    &f4_open_secrets::F4,
    &f5_huge_log::F5,
    &f6_symlink::F6,
    &f7_full_and_broken::F7,
    &n1_no_internet::N1,
    &n2_ipv6_only::N2,
    &n3_no_ports::N3,
    &n4_latency::N4,
    &d1_upstream::D1,
    &d2_missing_module::D2,
    &d3_credential::D3,
    &s1_unloaded::S1,
    &s1b_unloaded_on_purpose::S1B,
    &s2_start_limit::S2,
    &s2b_masked::S2B,
    &s3_not_reloaded::S3,
    &s4_no_manager::S4,
    &s4b_no_manager_and_hung::S4B,
    &s4c_logged_out::S4C,
    &s5_two_managers::S5,
    &s5b_rival_hangs::S5B,
    &t1_clock_step::T1,
    &t2_suspend::T2,
    &k1_overlap::K1,
    &k2_two_healers::K2,
    &k3_holder_dies::K3,
    &k4_leaked_lock::K4,
    &k5_pid_reuse::K5,
    &w1_killed_mid_repair::W1,
    &w2_no_probe::W2,
    &w3_agent::W3A,
    &w3_agent::W3B,
    &w3_agent::W3C,
    &w3_agent::W3D,
    &w3_agent::W3E,
    &w3_agent::W3F,
    &w3_agent::W3G,
    &w3_agent::W3H,
    &w3_agent::W3I,
    &w3_agent::W3J,
    &w4_hostile_log::W4,
    &w5_notifier_down::W5,
    &w6_alert_storm::W6,
    &x1_healthy::X1,
    &x2_slow_start::X2,
    &x3_stopped_on_purpose::X3,
    &x4_maintenance::X4,
    &x5_pauses::X5,
    &x6_load::X6,
    &x7_upgrade::X7,
    &x8_broken_edit::X8,
    &x9_broken_port::X9,
    &x10_own_stop::X10,
    &e1_ten_crashes::E1,
    &e1_ten_crashes::E1_UNIT,
    &e2_mode_deleted::E2,
    &e2_mode_deleted::E2_UNIT,
    &e3_nuclear::E3,
    &e3_nuclear::E3_UNIT,
];
