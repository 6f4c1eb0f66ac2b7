import Foundation
import Hosting
import Logging
import TestKit
import Testing

@Suite struct `A log line` {
    private func lines(_ format: FleetLogHandler.Format, _ write: (Logger) -> Void) -> [String] {
        let lines = LogLines(format)
        write(lines.logger("worker payment"))
        return lines.all
    }

    private func object(_ line: String) throws -> [String: String] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
    }

    @Test func `is one JSON object with time, level, process, message and facts`() throws {
        let line = lines(.json) {
            $0.warning("it \"paused\"\nfor\u{2028}a\u{7}while", metadata: ["saga": "s-1", "trace": "t-1"])
        }[0]
        #expect(!line.contains("\n"))
        let object = try object(line)
        #expect(object["level"] == "warning")
        #expect(object["process"] == "worker payment")
        #expect(line.contains(#"it \"paused\"\u000afor\u2028a\u0007while"#))
        #expect(object["message"] == "it \"paused\"\nfor\u{2028}a\u{7}while")
        #expect(object["saga"] == "s-1")
        #expect(object["trace"] == "t-1")
        #expect(object["at"]?.hasSuffix("Z") == true)
        #expect(object.count == 6)
    }

    @Test func `keeps its own keys from facts of the same name`() throws {
        let object = try object(lines(.json) { $0.info("true", metadata: ["message": "false", "level": "none"]) }[0])
        #expect(object["message"] == "true")
        #expect(object["level"] == "info")
        #expect(object["messageFact"] == "false")
    }

    @Test func `is one line of text for people, in which no value looks like another fact`() {
        let line = lines(.text) { $0.error("buried", metadata: ["reason": "a\nb level=info", "kind": "x.v1"]) }[0]
        #expect(line.hasSuffix(#" error worker payment: buried kind=x.v1 reason="a\nb level=info""#))
    }

    @Test(arguments: Poison.all, FleetLogHandler.Format.allCases)
    func `holds nothing raw, whatever the world sent`(poison: Poison, format: FleetLogHandler.Format) {
        let line = lines(format) { $0.error("\(poison.text)", metadata: ["fact": "\(poison.text)"]) }[0]
        #expect(Poison.rawLines(in: line).isEmpty && !line.contains("\n"))
    }

    @Test(arguments: [
        ("amqp://turnstile:hunter2@broker:5672/x is gone", "amqp://***@broker:5672/x is gone"),
        ("postgres://u:p%40w@[::1]/d", "postgres://***@[::1]/d"),
        ("redis://:hunter2@cache:6379", "redis://***@cache:6379"),
        ("no row for ada.lovelace+x@mail.example.org!", "no row for ***@***!"),
        ("password=hunter2 host=x", "password=*** host=x"),
        (#"{"password": "hunter2","a":1}"#, #"{"password": "***","a":1}"#),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("OPERATOR_KEYS=ada:sixteen-characters", "OPERATOR_KEYS=***"),
        ("password authentication failed for user \"x\"", "password authentication failed for user \"x\""),
        ("rabbit@node said 12:30 to key=value", "rabbit@node said 12:30 to key=value"),
    ])
    func `does not tell secrets or e-mail addresses`(said: String, written: String) throws {
        let object = try object(lines(.json) { $0.info("x", metadata: ["error": "\(said)"]) }[0])
        #expect(object["error"] == written)
        #expect(try self.object(lines(.json) { $0.info("\(said)") }[0])["message"] == written)
    }
}
