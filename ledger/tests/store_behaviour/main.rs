//! What every store does. Each behaviour is written once, over any [`Database`]; the list at the end runs it on each.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code outside of cfg(test)"
)]

mod audit;
mod budgets;
mod calls;
mod database;
mod inbox;
mod once;
mod quotas;
mod reservations;
mod sessions;
mod usage;

macro_rules! on_every_store {
    ($($module:ident: $($behaviour:ident),+;)+) => {
        mod sqlite {
            $($(
                #[tokio::test]
                async fn $behaviour() {
                    crate::$module::$behaviour(crate::database::Sqlite::new()).await;
                }
            )+)+
        }
    };
}

on_every_store! {
    audit:
        a_chain_verifies_for_each_bot,
        parallel_appends_make_one_chain,
        a_chain_goes_on_after_a_crash,
        a_page_is_bounded_and_only_the_bots_own,
        a_giant_record_is_kept_with_its_digest,
        a_clock_that_was_set_back_repeats_the_last_time,
        an_empty_chain_has_the_genesis_head;
    sessions:
        a_living_lease_keeps_others_out,
        a_lapsed_lease_is_taken_and_its_holder_named,
        a_released_session_was_not_abandoned,
        the_same_holder_again_ends_its_old_hold,
        a_stale_fence_writes_nothing,
        a_lapsed_hold_writes_nothing_until_it_is_renewed,
        releasing_twice_is_no_error,
        parallel_claims_have_one_winner,
        a_session_stays_with_its_channel,
        messages_keep_their_order_across_holds,
        a_tail_is_bounded_by_count_and_bytes,
        another_bots_session_is_unknown,
        a_step_is_written_whole,
        a_step_that_is_refused_leaves_nothing,
        a_session_in_order_is_opened_with_its_acquisition,
        an_abandoned_session_is_not_opened,
        a_session_with_an_open_call_is_not_opened,
        a_last_step_gives_the_session_back;
    calls:
        a_call_starts_once_however_many_try,
        a_started_call_is_recorded_under_its_own_names,
        a_refused_start_leaves_no_trace,
        a_call_finishes_once,
        a_call_may_finish_without_the_session,
        a_crash_leaves_the_call_unfinished,
        another_bots_call_is_unknown,
        a_call_carries_its_reservation,
        what_a_lost_call_reserved_becomes_use,
        a_call_ends_also_without_its_reservation;
    usage:
        usage_is_summed_per_provider_and_model,
        usage_counts_since_an_instant;
    once:
        an_id_is_fresh_once_within_its_time,
        an_id_is_held_until_it_is_settled_or_given_back,
        owners_and_scopes_do_not_meet,
        parallel_takers_have_one_winner,
        taken_ids_survive_a_crash,
        sweeping_forgets_only_what_ran_out;
    inbox:
        a_message_is_accepted_once_and_held_by_its_accepter,
        a_lapsed_lease_is_claimed_by_one,
        a_renewed_lease_keeps_others_out,
        a_stale_attempt_neither_renews_nor_finishes,
        a_finished_message_is_gone_and_its_id_stays_taken,
        another_channels_messages_are_unknown,
        accepted_messages_survive_a_crash,
        a_refused_message_takes_no_id,
        a_claim_is_bounded_and_the_oldest_come_first,
        sweeping_forgets_only_messages_that_nobody_fetched;
    quotas:
        sixty_four_at_once_spend_a_budget_of_one_once,
        a_reservation_is_all_or_nothing,
        a_window_slides,
        a_budget_for_ever_never_returns,
        a_clock_that_was_set_back_frees_nothing,
        bots_and_windows_count_apart,
        nothing_is_left_of_a_limit_that_was_lowered,
        a_counters_sum_never_wraps;
    budgets:
        sixty_four_at_once_of_all_bots_never_overspend_a_workspaces_budget,
        a_workspaces_budget_is_shared_and_a_bots_own_is_not,
        another_workspaces_budget_is_another_one,
        a_workspace_that_comes_later_counts_from_nothing,
        only_its_reserver_settles_a_share_of_a_workspaces_budget,
        what_a_crashed_bot_reserved_is_used_by_the_workspace,
        a_workspaces_window_slides_and_a_clock_set_back_frees_nothing,
        names_of_budgets_and_quotas_do_not_meet;
    reservations:
        the_same_reservation_again_counts_once,
        an_id_is_not_reused_for_other_counters,
        settling_replaces_the_reservation,
        settling_counts_what_was_used_beyond_it,
        a_counter_that_is_not_settled_counts_in_full,
        a_settlement_knows_only_its_own_counters,
        an_ended_reservation_cannot_be_had_again,
        a_crash_before_settling_loses_nothing,
        an_unsettled_reservation_outlives_its_window_until_it_expires,
        an_expired_reservation_is_use_before_and_after_the_sweep,
        a_late_settlement_corrects_the_use,
        a_sweep_is_bounded,
        another_bots_reservation_is_unknown;
}
