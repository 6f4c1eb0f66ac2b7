/// Every metric of the fleet, in one list: alerts, dashboards and the runbook may rely on these names and no other.
///
/// Units are base units and stand in the name. Labels take their values from code (queues, states, routes, outcomes),
/// never from what the world sent, so the number of series is bounded.
package enum Metric: String, Sendable, CaseIterable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    case messagesConsumed = "turnstile_messages_consumed_total"
    case messagesRepeated = "turnstile_messages_repeated_total"
    case batchMessages = "turnstile_batch_messages"
    case batchDuration = "turnstile_batch_duration_seconds"
    case batchAge = "turnstile_batch_oldest_message_age_seconds"
    case transientFailures = "turnstile_transient_failures_total"
    case lastingConflicts = "turnstile_lasting_conflicts_total"
    case messagesPublished = "turnstile_messages_published_total"
    case messagesRefused = "turnstile_messages_refused_total"
    case externalRefusals = "turnstile_external_refusals_total"
    case answersLost = "turnstile_answers_lost_total"
    case publishConfirm = "turnstile_publish_confirm_duration_seconds"
    case sweepItems = "turnstile_sweep_items_total"
    case sweepFailures = "turnstile_sweep_failures_total"
    case componentState = "turnstile_component_state"
    case redisBreakerOpen = "turnstile_redis_breaker_open"
    case poolConnections = "turnstile_database_pool_connections"
    case poolWaiting = "turnstile_database_pool_waiting"

    case sagaTransitions = "turnstile_saga_transitions_total"
    case sagaInputs = "turnstile_saga_inputs_total"
    case sagaIgnored = "turnstile_saga_ignored_total"
    case sagaRepeated = "turnstile_saga_repeated_total"
    case sagaRedriven = "turnstile_saga_redriven_total"
    case sagaStepDuration = "turnstile_saga_step_duration_seconds"
    case sagaDuration = "turnstile_saga_duration_seconds"
    case purchaseStarts = "turnstile_purchase_starts_total"
    case cacheLookups = "turnstile_cache_lookups_total"
    case sagasOpen = "turnstile_sagas_open"
    case sagaOldestAge = "turnstile_saga_oldest_age_seconds"
    case sagasNeedingAttention = "turnstile_sagas_needing_attention"
    case holdsActive = "turnstile_holds_active"
    case deadLetters = "turnstile_dead_letters"
    case outboxPending = "turnstile_outbox_pending"
    case outboxOldestAge = "turnstile_outbox_oldest_age_seconds"
    case undeliveredAnswers = "turnstile_undelivered_answers"
    case queueMessages = "turnstile_queue_messages"
    case queueUnacked = "turnstile_queue_unacked_messages"
    case queueConsumers = "turnstile_queue_consumers"
    case queueOldestAge = "turnstile_queue_oldest_message_age_seconds"
    case censusAge = "turnstile_census_age_seconds"
    case httpRequestDuration = "turnstile_http_request_duration_seconds"
    case httpRequestsInFlight = "turnstile_http_requests_in_flight"
    case httpConnections = "turnstile_http_connections"
    case httpConnectionsRefused = "turnstile_http_connections_refused_total"
    case httpStreams = "turnstile_http_streams"
    case operatorKeysRefused = "turnstile_operator_keys_refused_total"

    case timerLag = "turnstile_timer_lag_seconds"
    case paymentAnswers = "turnstile_payment_answers_total"

    case buildInfo = "turnstile_build_info"
    case processStartTime = "process_start_time_seconds"
    case processCPU = "process_cpu_seconds_total"
    case processMemory = "process_resident_memory_bytes"
    case processDescriptors = "process_open_fds"
    case processDescriptorLimit = "process_max_fds"

    package var kind: Kind {
        if rawValue.hasSuffix("_total") { return .counter }
        return Self.histograms.contains(self) ? .histogram : .gauge
    }

    private static let histograms: Set<Metric> = [
        .batchMessages, .batchDuration, .batchAge, .publishConfirm, .sagaStepDuration, .sagaDuration,
        .httpRequestDuration, .timerLag,
    ]

    /// What a histogram's values are sorted by; seconds unless it counts messages.
    var bounds: [Double] {
        switch self {
        case .batchMessages: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000]
        case .batchAge: [1, 2, 5, 10, 30, 60, 300, 1_800]
        case .sagaStepDuration, .sagaDuration: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900]
        default: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
        }
    }
}

extension Metric {
    /// What it says, for `# HELP` and the documents.
    package var help: String {
        switch self {
        case .messagesConsumed: "Messages that a lane has settled, by queue and outcome: handled, retried or buried."
        case .messagesRepeated: "Messages that were recognised in the inbox and answered with their recorded replies."
        case .batchMessages: "Messages per batch, by queue."
        case .batchDuration: "From taking a batch to acknowledging it, by queue."
        case .batchAge: "Age of the oldest message of a batch when it was taken, to the second, by queue."
        case .transientFailures: "Batches that wait for a server or for others and are tried again, by queue."
        case .lastingConflicts: "Batches and messages in a conflict that did not end, taken apart or put off, by queue."
        case .messagesPublished: "Messages given to the broker."
        case .messagesRefused: "Messages that the broker returned or refused, and that are sent again."
        case .externalRefusals: "Messages that queues outside the fleet did not take, by recipient and reason."
        case .answersLost: "Answers that no queue took and no room was left to keep."
        case .publishConfirm: "From publishing a batch to its last confirm."
        case .sweepItems: "What fell due by the clock and was done, by sweep."
        case .sweepFailures: "Sweeps that failed and are tried again, by sweep."
        case .componentState: "1 for the state that a part of the process is in: ready, degraded or failed."
        case .redisBreakerOpen: "1 while Redis is skipped after failures, by purpose."
        case .poolConnections: "Connections of a database pool, by state: in_use or idle."
        case .poolWaiting: "Callers that wait for a connection of a database pool."
        case .sagaTransitions: "Steps that sagas took from one state to another; from is none at the start."
        case .sagaInputs: "Inputs that sagas took, by name."
        case .sagaIgnored: "Inputs that changed nothing, by reason; impossible means a fault."
        case .sagaRepeated: "Inputs that the journal knew already."
        case .sagaRedriven: "Overdue steps whose commands the watchdog sent again."
        case .sagaStepDuration: "How long sagas stood in a state before they left it, as far as this process saw both."
        case .sagaDuration: "From the start of a saga to its outcome."
        case .purchaseStarts: "Wishes to buy, by answer: accepted or the problem's code."
        case .cacheLookups: "Look-ups in a cache, by cache and result: hit, miss or failed."
        case .sagasOpen: "Sagas without an outcome, by state, in the whole database."
        case .sagaOldestAge: "Age of the oldest saga without an outcome; 0 when there is none."
        case .sagasNeedingAttention: "Sagas that wait for an operator."
        case .holdsActive: "Tickets that are held and not paid."
        case .deadLetters: "Dead letters that wait for an operator, by queue."
        case .outboxPending: "Messages of the outbox that are not confirmed yet."
        case .outboxOldestAge: "Age of the oldest message of the outbox; 0 when it is empty."
        case .undeliveredAnswers: "Answers that wait until their queues take them, by the reason why they do not."
        case .queueMessages: "Messages that wait in a queue."
        case .queueUnacked: "Messages of a queue that are taken and not acknowledged; only with the management API."
        case .queueConsumers: "Consumers of a queue."
        case .queueOldestAge: "Age of the oldest message of a queue, at least; only with the management API."
        case .censusAge: "Since when the numbers about the whole fleet were not renewed, by part."
        case .httpRequestDuration: "Time of HTTP requests, by route, method and status."
        case .httpRequestsInFlight: "HTTP requests that are not answered yet."
        case .httpConnections: "HTTP connections that clients have open to the process."
        case .httpConnectionsRefused: "HTTP connections that were refused, by the limit they met: process or address."
        case .httpStreams: "Streams by which clients follow purchases now."
        case .operatorKeysRefused: "Requests for operators' routes without a right key, by reason: wrong or limited."
        case .timerLag: "How late timers rang."
        case .paymentAnswers: "Answers of the payment provider, by operation and outcome."
        case .buildInfo: "1, with the version of the program and its role as labels."
        case .processStartTime: "When the process started, in seconds since 1970."
        case .processCPU: "Processor time of the process."
        case .processMemory: "Resident memory of the process."
        case .processDescriptors: "Open file descriptors of the process."
        case .processDescriptorLimit: "The most file descriptors that the process may have open."
        }
    }
}
