//! A process that moves lines at their carriers over real HTTP is killed by SIGKILL at every passing of every boundary of its pages;
//! whoever comes after ends with what was asked, and nothing is added twice (B5.4, B7.1 to B7.3).

use lineshift_testkit::carrier_kills::killed_at_carriers_in_database;
use lineshift_testkit::kill_tests;

kill_tests!("killed_at_carrier", killed_at_carriers_in_database);
