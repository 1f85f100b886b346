//! Contract tests: what every store engine must do, written once. An engine runs them by the macro [`contract_tests`].
