//! Contract tests: what every store engine must do, written once. An engine runs them by the macro
//! [`contract_tests`](crate::contract_tests).
//!
//! Each body makes tenants of its own, so that all of them may run in one store, one after the other or at once.

pub mod access;
pub mod audit;
pub mod billing;
pub mod bulk_changes;
pub mod callbacks;
pub mod carrier_sync;
pub mod carriers;
pub mod catalogue;
pub mod control;
pub mod devices;
pub mod figures;
mod fixture;
pub mod holds;
pub mod identities;
pub mod import;
pub mod joining;
pub mod line_events;
pub mod lines;
pub mod people;
pub mod places;
pub mod plan_queue;
pub mod plan_queue_due;
pub mod reach;
pub mod secrets;
pub mod seen;
pub mod selections;
pub mod sessions;
pub mod steps;
pub mod sync;
pub mod waiting;
pub mod windows;
pub mod work;

/// Makes one `#[tokio::test]` of each body. `$open` is an async function without arguments that answers a store and
/// whatever must live as long as it.
#[macro_export]
macro_rules! contract_tests {
    ($open:ident) => {
        $crate::contract_bodies! { $open;
            access: a_tenant_has_a_name_of_its_own, a_key_is_kept_until_it_is_revoked, keys_stay_with_their_tenant,
                a_store_that_answers_is_ready;
            audit: an_entry_is_unfinished_until_its_outcome_is_written, entries_are_listed_by_each_filter,
                entries_stay_with_their_tenant;
            billing: accounts_are_kept, a_page_says_whether_its_account_may_be_called, steps_are_written_under_a_claim,
                what_is_billed_is_stored_once, a_service_line_is_told_in_the_history, unsettled_steps_are_listed_and_settled,
                a_failed_page_keeps_what_was_sent;
            bulk_changes: a_key_is_claimed_by_one_request, an_answered_key_answers_again, a_change_is_stored_at_once,
                a_large_change_is_received_page_by_page, what_was_not_received_is_dropped, changes_are_listed_newest_first,
                rows_are_listed_by_each_filter, the_log_is_listed_row_by_row;
            callbacks: callback_credentials_are_kept, a_callback_wakes_every_row_of_its_request, a_callback_names_lines,
                a_callback_is_noted_once, a_callback_too_early_or_too_late_changes_nothing, a_page_in_hand_is_told_by_its_rows;
            carriers: carrier_rate_plans_are_kept, an_order_finds_its_carrier_rate_plan,
                a_page_says_whether_its_carrier_may_be_called, either_account_wakes_its_rows,
                confirmed_plans_are_written_with_their_history, confirmed_statuses_are_written_under_the_claim,
                acts_at_carriers_are_recorded, acts_at_carriers_are_settled;
            carrier_sync: a_first_run_brings_lines_and_a_second_nothing_new, what_differs_of_a_line_is_written_and_told,
                what_is_newer_or_held_here_stays, lines_of_others_are_left_out, lines_are_gone_and_back,
                plans_come_go_and_come_back, usage_is_read_of_chosen_lines, a_wanted_account_is_known,
                service_providers_fall_due;
            catalogue: integration_authentications_are_kept, service_providers_are_kept, rev_customers_are_kept, sites_are_kept,
                customer_rate_plans_are_kept, customer_rate_pools_are_kept, names_and_ids_are_taken_once,
                references_must_exist_for_the_tenant, active_statuses_are_those_of_the_carriers,
                an_order_finds_what_it_refers_to, things_are_named_at_once, customers_are_found_by_name_and_number;
            control: a_held_change_is_started_once, a_change_is_canceled_once, rows_in_error_are_opened_again;
            devices: lines_are_listed_by_each_filter, a_line_is_shown_with_its_assignment, history_is_listed_newest_first,
                lines_are_looked_up_by_iccid, a_number_may_name_several_lines, facts_say_who_is_billed, charges_of_lines_are_summed_up,
                open_entries_of_lines_are_counted,
                what_is_billed_for_a_line_is_listed;
            line_events: what_was_asked_and_not_done_is_listed;
            figures: lines_are_counted_within_reach, changes_are_counted_by_time, changes_are_listed_by_what_is_sought,
                due_entries_are_sought_and_counted, scheduled_changes_that_fail_are_found;
            holds: a_stored_change_holds_its_lines, a_change_that_still_arrives_holds_nothing,
                of_two_changes_the_one_stored_first_counts;
            identities: identities_are_of_one_user, identities_are_taken_away, people_join_by_an_identity,
                the_last_administrator_keeps_their_identity, the_last_administrator_of_a_tenant_stays_active;
            import: lines_are_brought_in_and_replaced, reference_rows_are_brought_in_and_replaced,
                ids_made_later_lie_after_those_brought_in, assignments_raise_the_version_only_where_they_differ,
                assignments_of_what_is_missing_are_refused, rev_services_are_brought_in_and_replaced,
                queue_entries_are_brought_in_once, queue_entries_stand_under_one_change_a_carrier_account,
                a_call_takes_so_many_rows;
            joining: people_join_a_tenant, a_known_person_is_asked, each_tenant_invites_for_itself,
                people_are_added_with_a_password, members_are_invited_anew, an_invitation_ends_when_rights_widen,
                members_are_removed, the_tenant_entered_last_comes_first, an_administrator_stays;
            lines: lines_are_sought_by_several_things, a_site_is_not_sought_among_all_that_begin_alike,
                what_begins_alike_is_found_within_reach;
            people: users_are_kept, one_time_passwords_are_taken_once, invitations_end,
                roles_are_kept, members_are_kept, members_are_listed_in_pages, rights_are_those_of_now;
            places: places_are_leased_and_come_free, a_single_place_is_had_in_turns;
            plan_queue: entries_are_listed_by_each_filter, an_entry_is_moved_and_each_move_logged,
                an_entry_is_canceled_once, entries_stay_with_their_tenant;
            plan_queue_due: due_entries_take_effect_once, null_keeps_and_zero_clears, two_entries_of_a_line_apply_by_date,
                dropped_work_leaves_nothing_behind, a_refused_entry_is_told, what_stands_so_leaves_no_history,
                due_entries_say_what_has_changed, a_page_takes_the_earliest, work_is_found_across_tenants;
            reach: lines_within_reach_are_listed, open_entries_within_reach_are_listed,
                entries_are_reached_as_ordered_and_as_lines_stand,
                entries_and_charges_within_reach_are_counted, reference_data_within_reach_is_listed;
            sessions: a_session_tells_who_it_is, sessions_end_with_their_member, sessions_are_ended,
                failures_are_counted_in_a_window;
            secrets: sealed_texts_are_listed_page_by_page, a_sealed_text_is_replaced_unless_it_changed,
                one_time_passwords_of_users_are_sealed_anew;
            seen: a_member_is_changed_as_seen, an_account_is_set_as_seen, an_invitation_is_taken_up_once,
                a_member_has_so_many_sessions;
            selections: a_selection_is_ones_own, a_selection_keeps_to_reach, what_a_filter_finds_is_chosen, what_is_written_is_chosen,
                a_selection_is_divided_by_service_provider, a_selection_is_read_in_parts, an_old_selection_is_forgotten;
            steps: usp_assign_customer_update_site, usp_devicebulkchange_assign_non_rev_customer,
                usp_devicebulkchange_customerrateplanchange_updatedevices,
                usp_devicebulkchange_customerrateplanchange_updatedevicebynumber, a_page_schedules_its_lines,
                what_a_page_schedules_is_found_when_due, steps_are_reverted_once, named_lines_are_looked_up_and_noted;
            sync: a_run_is_held_by_one, accounts_fall_due, a_page_is_written_with_its_place, what_no_list_showed_is_asked_for,
                the_report_is_written_window_by_window;
            waiting: a_paused_page_stays_claimed, rows_wait_until_they_are_due, a_canceled_change_is_not_waited_for,
                rows_fail_after_their_set_steps, an_unsettled_row_holds_its_line, a_lost_lease_is_told_until_it_is_settled,
                small_pages_are_received_several_at_once;
            windows: windows_are_never_exceeded, windows_are_counted_by_account;
            work: pages_are_claimed_under_a_lease, a_page_says_what_its_order_is_worth_now,
                a_page_says_whether_its_carrier_plan_is_active,
                a_dropped_page_leaves_nothing_behind, settled_rows_end_without_their_steps, a_lost_lease_undoes_the_page,
                a_page_that_keeps_failing_ends_in_error, a_change_is_completed_once,
                queue_entries_of_a_change_are_canceled_once, what_waits_is_measured;
        }
    };
}

/// Makes the tests of [`contract_tests`](crate::contract_tests).
#[doc(hidden)]
#[macro_export]
macro_rules! contract_bodies {
    ($open:ident; $($module:ident: $($body:ident),* $(,)?;)*) => {
        $(mod $module {
            $(#[tokio::test]
            async fn $body() {
                let (store, _kept) = super::$open().await;
                $crate::contract::$module::$body(&store).await;
            })*
        })*
    };
}
