import Contracts
import FleetInspection
import FleetRuntime
import Foundation
import Testing
import WireJSON

@testable import Operations
@testable import OrchestratorService

@Suite struct `The roles of a fleet` {
    private func member(_ process: String, _ rest: String = "", status: String = "ready", isLive: Bool = true) throws
        -> FleetMember
    {
        let text =
            #"{"id":"\#(process)","process":"\#(process)","version":"1","host":"h","pid":7,"#
            + #""startedAt":"2027-01-15T06:00:00Z","seenAt":"2027-01-15T07:59:58Z","isLive":\#(isLive),"#
            + #""status":"\#(status)","lanes":[]\#(rest)}"#
        return try WireFormat.decode(FleetMember.self, from: Data(text.utf8))
    }

    private func states(_ members: [FleetMember]?, _ queues: [QueueReading]? = nil) -> [FleetRole: RoleReading.State] {
        let roles = RoleReading.all(members: members, queues: queues)
        return Dictionary(roles.map { ($0.role, $0.state) }) { first, _ in first }
    }

    private func queue(_ name: String, consumers: Int) throws -> QueueReading {
        let text = #"{"name":"\#(name)","purpose":"work","ready":0,"consumers":\#(consumers)}"#
        return try WireFormat.decode(QueueReading.self, from: Data(text.utf8))
    }

    @Test func `are all there, whoever runs`() throws {
        #expect(RoleReading.all(members: [], queues: []).map(\.role) == FleetRole.allCases)
        #expect(Set(states([]).values) == [.missing])
        #expect(Set(states([try member("worker all"), try member("orchestrator")]).values) == [.ready])
        let some = states([try member("worker payment expiry"), try member("orchestrator")])
        #expect(some[.payment] == .ready)
        #expect(some[.expiry] == .ready)
        #expect(some[.reservation] == .missing)
    }

    @Test func `are missing when their last process fell silent, since then`() throws {
        let reading = RoleReading.all(members: [try member("worker payment", isLive: false)], queues: nil)
        let payment = try #require(reading.first { $0.role == .payment })
        #expect(payment.state == .missing)
        #expect(payment.faults.first?.since == WireFormat.date(from: "2027-01-15T07:59:58Z"))
        #expect(payment.faults.first?.advice.contains("compose/dev start payment") == true)
    }

    @Test func `are unready with the reason of their processes`() throws {
        let trouble =
            #","troubles":[{"name":"queue payment.commands","status":"failed","reason":"no such queue","#
            + #""since":"2027-01-15T07:00:00Z"}]"#
        let ill = try member("worker payment", trouble, status: "unready")
        let reading = try #require(RoleReading.all(members: [ill], queues: nil).first { $0.role == .payment })
        #expect(reading.state == .unready)
        #expect(reading.faults.first?.what.contains("queue payment.commands: no such queue") == true)
        #expect(states([ill, try member("worker payment")])[.payment] == .degraded)
    }

    @Test func `fail when their messages do`() throws {
        let lane =
            #"{"queue":"payment.commands","messages":1,"perSecond":0,"failure":{"since":"2027-01-15T07:00:00Z","#
            + #""at":"2027-01-15T07:59:00Z","messages":3,"reason":"permission denied"}}"#
        let text = try member("worker payment")
        let ill = try WireFormat.decode(
            FleetMember.self,
            from: Data(
                String(decoding: try WireFormat.encode(text), as: UTF8.self)
                    .replacing(#""lanes":[]"#, with: #""lanes":[\#(lane)]"#).utf8))
        let reading = try #require(RoleReading.all(members: [ill], queues: nil).first { $0.role == .payment })
        #expect(reading.state == .failing)
        #expect(reading.faults.first?.what.hasSuffix("permission denied") == true)
    }

    @Test func `are unready when nobody consumes their queue, and unknown without Redis unless that tells`() throws {
        let idle = [try queue("payment.commands", consumers: 0), try queue("expiry.commands", consumers: 1)]
        #expect(states([try member("worker payment")], idle)[.payment] == .unready)
        #expect(states(nil, idle)[.payment] == .missing)
        #expect(states(nil, idle)[.expiry] == .unknown)
        #expect(states(nil, nil)[.payment] == .unknown)
    }

    @Test func `are hindered only by what concerns them`() {
        let flaw = FleetFault(
            TopologyFlaw(kind: .queue, name: "payment.commands.retry.1s", state: .missing, detail: ""))
        #expect(flaw.concerns(.payment))
        #expect(!flaw.concerns(.expiry))
        #expect(FleetFault(BrokerAlarm(resource: .disk, node: nil, detail: "")).concerns(.expiry))
        #expect(!FleetFault(.redis, "away", advice: "").concerns(.payment))
    }
}
