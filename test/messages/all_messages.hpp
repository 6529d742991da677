#pragma once
// Every message of the vocabulary. A test compares this list with the headers.

#include "messages/bus.hpp"
#include "messages/commands.hpp"
#include "messages/envelope.hpp"
#include "messages/notifications.hpp"
#include "messages/streams.hpp"

#define POSEIDON_ALL_MESSAGES(X) \
  X(activate_entry) X(administration) X(announce_route) X(append_entry) X(ask_route) X(bus_reply) X(cancel_entry) \
  X(catalogue_report) X(challenge_problem) X(challenge_row) X(close_stream) X(collect_garbage) X(compact_entry) X(dead_letter) \
  X(dead_letters) X(deadline_moved_entry) X(done) X(drop_challenge_entry) X(drop_key_entry) X(durable_deadline) \
  X(enable_challenge_entry) X(end_route) X(ended_entry) X(endpoint) X(engine_changed) X(entry) X(envelope) X(expiring_entry) \
  X(extend_instance) X(extended) X(extension_spec) X(fact_head) X(field_problem) X(find_live) X(flush_facts) X(folded) \
  X(forget_record) X(garbage_report) X(get_image) X(get_instance) X(get_ledger_status) X(get_node_status) X(get_runtime_info) \
  X(group_key) X(group_progress) X(group_state) X(group_stats) X(health_spec) X(heartbeat) X(image_list) X(incarnation_entry) \
  X(inspect_group) X(instance_origin) X(instance_progress) X(instance_row) X(instance_spec) X(inventory_item) X(journal_record) \
  X(ledger_status) X(limit_spec) X(limit_table) X(list_dead_letters) X(list_images) X(list_objects) X(load_hint) X(load_records) \
  X(log_chunk) X(log_text) X(move_entry) X(move_instances) X(moved_instances) X(node_capacity) X(node_lost_entry) X(node_row) \
  X(node_status) X(node_up_entry) X(notifier_word) X(object_list) X(owner_ref) X(phase_timing) X(placed_entry) X(placement_candidate) \
  X(placement_decision) X(placement_spec) X(port_spec) X(probe_endpoint) X(put_challenge_entry) X(put_key_entry) \
  X(put_limits_entry) X(put_route) X(put_setting_entry) X(read_group_logs) X(read_group_stats) X(read_log_stream) X(read_logs) \
  X(read_stats) X(receiver_status) X(refused_entry) X(remove_group) X(remove_object) X(replay_dead_letters) X(replayed_letters) \
  X(rescan_challenges) X(reserve_spec) X(reset_instance) X(restarted_entry) X(route) X(route_acked) X(running_entry) \
  X(runtime_info) X(runtime_object) X(service_exited) X(service_spec) X(service_state) X(set_node_mode_entry) X(set_pause_entry) \
  X(shut_down) X(spec_source) X(start_entry) X(start_group_again) X(start_instance) X(started) X(stop_group) X(stop_instance) \
  X(stopping_entry) X(stream_credit) X(stream_end) X(stream_piece) X(timer_due) X(verdict) X(volume_spec)
