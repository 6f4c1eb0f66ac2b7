import Contracts
import FleetRuntime
import FleetStorage
import Hosting
import Postgres
import ServiceLifecycle

/// The notification role: lanes that deliver letters through one sink.
package enum NotificationService {
    package static let migrations = [
        Migration(
            name: "0001_create_notification",
            sql: String(decoding: PackageResources._001_create_notification_sql, as: UTF8.self)),
        Migration(
            name: "0002_publish_letters",
            sql: String(decoding: PackageResources._002_publish_letters_sql, as: UTF8.self)),
        Migration(
            name: "0050_tell_letters_apart",
            sql: String(decoding: PackageResources._050_tell_letters_apart_sql, as: UTF8.self)),
    ]

    package static func services(_ fleet: Fleet) throws -> [any Service] {
        let sink = ConsoleSink()
        return try fleet.commandLanes(of: .notification, urgency: .unhurried) { connection in
            ExternalCallConsumer(
                NotificationWorker(store: PostgresNotificationStore(), desk: NotificationSender(sink: sink)),
                ledger: PostgresInboxStore(connection))
        }
    }
}
