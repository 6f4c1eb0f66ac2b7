/// A way to buy tickets in the words of a purchase: `PurchaseSaga`, or a variant of it.
package protocol PurchaseDefinition: SagaDefinition
where
    State == PurchaseState, Input == PurchaseInput, Effect == PurchaseEffect, Request == PurchaseRequest,
    Facts == PurchaseFacts
{}
