import Contracts
import Foundation
import TestKit
import Testing

/// What the HTTP trigger says to requests that cannot be.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A bad request` {
    private static let hall =
        #"{"name":"Floor","price":{"currency":"EUR","minor":1},"capacity":2,"seats":["A-1","A-2"]}"#

    @Test func `is answered with a problem that names each mistake`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish(Self.hall)
            let cases: [(wish: String, pointer: String)] = [
                (#""quantity":0"#, "/quantity"), (#""quantity":-1"#, "/quantity"), (#""quantity":11"#, "/quantity"),
                (#""quantity":1.5"#, "/quantity"), (#""quantity":"2""#, "/quantity"),
                (#""quantity":1e30"#, "/quantity"), (#""quantity":null"#, "/quantity"),
                (#""quantity":1,"seats":["A-1"]"#, "/seats"), (#""seats":["Z-9"]"#, "/seats/0"),
                (#""seats":["A-1","A-1"]"#, "/seats"), (#""seats":[]"#, "/seats"), (#""seats":"A-1""#, "/seats"),
                (#""quantity":1,"price":1"#, "/price"), (#""quantity":1,"tier":"Balcony""#, "/tier"),
                (#""quantity":1,"email":"nobody""#, "/email"), (#""quantity":1,"email":"@""#, "/email"),
                (#""quantity":1,"email":"a@b@c""#, "/email"), (#""quantity":1,"holdSeconds":0"#, "/holdSeconds"),
                (#""quantity":1,"paymentMethod":"e\#(String(repeating: "\u{301}", count: 64))""#, "/paymentMethod"),
            ]
            for (wish, pointer) in cases {
                let answer = try await fleet.start(event, wish)
                #expect(answer.status == 422, "\(wish): \(String(decoding: answer.body, as: UTF8.self))")
                #expect(answer.headers["content-type"] == "application/problem+json")
                let problem = try answer.decode(Problem.self)
                #expect(problem.errors?.map(\.pointer).contains(pointer) == true, "\(wish): \(problem)")
            }
            let stranger = try await fleet.start(EventID.make())
            #expect(stranger.status == 422)
            #expect(try stranger.decode(Problem.self).errors?.first?.pointer == "/eventId")
            #expect(try await fleet.count("orchestrator.saga") == 0)
            #expect(try await fleet.buy(event).outcome == "completed")
        }
    }

    @Test func `of the wrong form is refused before anybody reads it`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            func status(_ bytes: Data, _ headers: [String: String] = [:]) async throws -> Int {
                try await fleet.call("POST", "/saga/start", bytes: bytes, headers: headers).status
            }
            #expect(try await status(Data("{".utf8)) == 400)
            #expect(try await status(Data("[]".utf8)) == 400)
            #expect(try await status(Data()) == 400)
            #expect(try await status(Data([0x7B, 0x22, 0xC3, 0x28, 0x22, 0x7D])) == 400)
            #expect(try await status(Data(repeating: 0x20, count: 2 << 20)) == 413)
            #expect(try await status(Data("{}".utf8), ["Content-Type": "text/plain"]) == 415)
            #expect(try await status(Data("{}".utf8), ["Idempotency-Key": String(repeating: "k", count: 300)]) == 422)
            #expect(try await fleet.call("GET", "/nowhere").status == 404)
            let wrongMethod = try await fleet.call("DELETE", "/saga/start")
            #expect(wrongMethod.status == 405 && wrongMethod.headers["allow"] == "POST")
            #expect(try await fleet.call("GET", "/sagas/\(SagaID.make())").status == 404)
            #expect(try await fleet.call("GET", "/events/\(EventID.make())").status == 404)
            #expect(try await fleet.call("GET", "/sagas?limit=1000000").status == 422)
            #expect(try await fleet.call("GET", "/sagas?state=lost").status == 422)
            #expect(try await fleet.call("GET", "/sagas?userId=%00").status == 422)
            #expect(try await fleet.call("GET", "/recommendations?latitude=91&longitude=0&radiusKm=1").status == 422)
            #expect(try await fleet.count("orchestrator.saga") == 0)
            #expect(try await fleet.buy(event).outcome == "completed")
        }
    }

    @Test func `to publish an event names each mistake`() async throws {
        try await withFleet { fleet in
            let past = TestFleet.event(Self.hall).replacing("2031", with: "2001")
            #expect(try await fleet.call("POST", "/events", body: past).status == 422)
            let twice = TestFleet.event(Self.hall + "," + Self.hall)
            #expect(try await fleet.call("POST", "/events", body: twice).status == 422)
            let nested = TestFleet.event(#"{"name":"A","price":{"currency":"eur","minor":-1},"capacity":0,"free":1}"#)
            let answer = try await fleet.call("POST", "/events", body: nested)
            #expect(try answer.decode(Problem.self).errors?.map(\.pointer) == ["/tiers/0/free"])
            #expect(try await fleet.count("orchestrator.event") == 0)
        }
    }
}
