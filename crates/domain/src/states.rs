//! How device changes and their steps move from state to state.
