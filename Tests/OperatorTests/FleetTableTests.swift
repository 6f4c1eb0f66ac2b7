import Contracts
import FleetInspection
import Foundation
import Hosting
import Testing
import WireJSON

@testable import turnstile

@Suite struct `The table of the fleet` {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func member(_ text: String) throws -> FleetMember {
        try WireFormat.decode(FleetMember.self, from: Data(text.utf8))
    }

    @Test func `has a line per process and queue, with rate and last batch`() throws {
        let head = #""id":"x","process":"worker payment","version":"1.0.0","host":"h1","pid":7,"#
        let times = #""startedAt":"2027-01-15T06:00:00Z","seenAt":"2027-01-15T07:59:58Z","status":"ready""#
        let lane = { (rate: String, at: String) in
            #"{"queue":"payment.commands","messages":9,"perSecond":\#(rate),"#
                + #""lastBatch":{"at":"\#(at)","messages":3,"milliseconds":12}}"#
        }
        let lanes = [lane("1.5", "2027-01-15T07:59:00Z"), lane("2.5", "2027-01-15T07:59:55Z")].joined(separator: ",")
        let live = try member("{\(head)\(times),\"isLive\":true,\"lanes\":[\(lanes)]}")
        var table = turnstile.Fleet.table([live], at: now)
        #expect(table.rows.count == 1)
        #expect(
            table.rows[0] == [
                "worker payment", "1.0.0", "-", "h1", "7", "2 h", "ready", "payment.commands", "2", "4.0",
                "3 in 12 ms, 5 s ago",
            ])
        let silent = try member("{\(head)\(times),\"isLive\":false,\"lanes\":[\(lane("0", "2027-01-15T07:00:00Z"))]}")
        table = turnstile.Fleet.table([silent], at: now.addingTimeInterval(28))
        #expect(table.rows[0][6] == "silent for 30 s")
    }
}
