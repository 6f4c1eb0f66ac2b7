import FleetRuntime
import Logging

extension Charge {
    /// What a log line says of a charge: never by which means it is paid.
    var facts: Logger.Metadata {
        var facts: Logger.Metadata = ["saga": "\(sagaID)"]
        if let trace = owed.traceparent { facts["trace"] = "\(TraceContext.traceID(of: trace))" }
        return facts
    }
}
