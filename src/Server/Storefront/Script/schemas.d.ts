// Made from the OpenAPI document by types.mjs.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description What comes with `challenge-required`. Solved by a nonce of at most 20 decimal digits such that the hash of `stamp:nonce` begins with
         *                 Bits zero bits, or by the answer to the question in digits, from four seconds on.
         */
        ChallengeDocument: {
            stamp: string;
            /** @description `sha-256`. */
            algorithm: string;
            /** Format: int32 */
            bits: number;
            question: components["schemas"]["LocalizedText"];
            /** Format: date-time */
            expiresAt: string;
        };
        /**
         * @description Who must solve a challenge before a reservation or an order token.
         * @enum {string}
         */
        ChallengePolicy: "off" | "suspicious" | "always";
        /**
         * @description When a unit leaves the stock. Only Deduction.Order is built so far.
         * @enum {string}
         */
        Deduction: "order" | "payment" | "reservation";
        /** @description What everybody knows of a sale's draw from its publication on. */
        DrawTermsDocument: {
            /**
             * Format: int32
             * @description Requests to order of so many milliseconds after the opening are drawn by lot.
             */
            windowMs: number;
            /** @description SHA-256 of the seed, 64 lower-case hexadecimal digits; it never changes. */
            commitment: string;
        };
        /**
         * @description What a refused request left behind (invariant I4).
         * @enum {string}
         */
        Effect: "none" | "applied" | "unknown";
        /** @description The same text in both languages of the shop. */
        LocalizedText: {
            zh: string;
            en: string;
        };
        /** @description What the caller is in a sale. For a stranger only the time and no orders. */
        MeDocument: {
            /** Format: int64 */
            epochMs: number;
            userId?: null | string;
            /** @description The stamp of this visit, for the calls that follow. */
            visit?: null | string;
            reservation?: null | components["schemas"]["ReservationStatus"];
            /** @description True when the caller may not take part, absent otherwise. Looked at from 10 minutes before the opening. */
            barred?: null | boolean;
            /** @description The caller's orders of this sale, newest first. */
            orders: components["schemas"]["MyOrderDocument"][];
        };
        /** @description An amount in minor units (fen for CNY), 0 to 10,000,000,000, with its ISO 4217 code. */
        Money: {
            /** Format: int64 */
            amount: number;
            currency: string;
        };
        MyOrderDocument: {
            id: string;
            offerId: string;
            status: components["schemas"]["OrderStatus"];
            /** Format: date-time */
            payBefore: string;
        };
        OfferDocument: {
            id: string;
            sku: string;
            title: components["schemas"]["LocalizedText"];
            faceValue: components["schemas"]["Money"];
            price: components["schemas"]["Money"];
            /** Format: int32 */
            stock: number;
            /** Format: int32 */
            perUserLimit: number;
            /**
             * Format: int32
             * @description 0 to 100: units that are not available, held ones included.
             */
            soldPercent: number;
            /**
             * Format: date-time
             * @description Given to operators.
             */
            validFrom: string;
            /** Format: date-time */
            validUntil: string;
            /** @description True when unpaid orders may still bring units back; absent while the stock is stale. */
            holds?: null | boolean;
        };
        OfferStateDocument: {
            id: string;
            /** Format: int32 */
            soldPercent: number;
            soldOut: boolean;
            /** @description True when unpaid orders may still bring units back; absent while the document is stale. */
            holds?: null | boolean;
        };
        OrderCoupon: {
            code: string;
            /** Format: date-time */
            validFrom: string;
            /** Format: date-time */
            validUntil: string;
        };
        OrderDocument: {
            id: string;
            saleId: string;
            offerId: string;
            userId: string;
            status: components["schemas"]["OrderStatus"];
            price: components["schemas"]["Money"];
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            payBefore: string;
            coupon?: null | components["schemas"]["OrderCoupon"];
        };
        /** @enum {string} */
        OrderStatus: "held" | "paid" | "cancelled" | "expired" | "refund_due" | "refunded";
        OrderTokenDocument: {
            token: string;
            /** Format: date-time */
            usableAt: string;
            /** Format: date-time */
            expiresAt: string;
        };
        /**
         * @description How an order is answered. Only Ordering.Synchronous is built so far.
         * @enum {string}
         */
        Ordering: "synchronous" | "queued";
        PageOfSaleDocument: {
            items: components["schemas"]["SaleDocument"][];
            nextCursor: null | string;
        };
        /** @description RFC 9457. Errors is there for 422, the times and RetryAfterMs where they help. */
        ProblemDocument: {
            type: string;
            title: string;
            /** Format: int32 */
            status: number;
            code: string;
            effect: components["schemas"]["Effect"];
            traceId: string;
            detail?: null | string;
            /** Format: date-time */
            opensAt?: null | string;
            /** Format: date-time */
            serverTime?: null | string;
            /** Format: int64 */
            retryAfterMs?: null | number;
            errors?: null | {
                [key: string]: string[];
            };
            challenge?: null | components["schemas"]["ChallengeDocument"];
        };
        ReservationDocument: {
            id: string;
            saleId: string;
            status: components["schemas"]["ReservationStatus"];
        };
        /** @enum {unknown} */
        ReservationStatus: "pending" | "approved" | "rejected" | null;
        /**
         * @description What a sale does against bots (docs/threat-model.md), as an operator chose it. The defaults stop nobody who calls the API as it is described; an operator
         *     turns on what a sale is worth.
         */
        SaleDefences: {
            challenge?: components["schemas"]["ChallengePolicy"];
            /**
             * Format: int32
             * @description Leading zero bits that a solution has, 8 to 24: each one more doubles the work, of which 16 is a fraction of a second on a phone.
             */
            challengeBits?: number;
            /**
             * Format: int32
             * @description Order tokens that a user may be given for the sale within ten minutes, 1 to 1,000.
             */
            tokensPerUser?: number;
            /**
             * Format: int32
             * @description Accounts that may reserve or ask for tokens from one device, 1 to 1,000; 0: any number.
             */
            accountsPerDevice?: number;
            /**
             * Format: int32
             * @description Accounts on one address above which all of them count as suspicious, 1 to 100,000; 0: any number.
             */
            accountsPerAddress?: number;
            /**
             * Format: int32
             * @description Held orders that a user lets expire within 24 hours before being barred for int SaleDefences.BarMinutes, 1 to 10; 0: never barred.
             */
            unpaidHolds?: number;
            /**
             * Format: int32
             * @description 1 minute to 30 days.
             */
            barMinutes?: number;
            /**
             * Format: int32
             * @description Orders of so many milliseconds after the opening are drawn by lot, 100 to 1,500; 0: in the order of arrival.
             */
            drawMs?: number;
        };
        SaleDocument: {
            id: string;
            slug: string;
            title: components["schemas"]["LocalizedText"];
            phase: components["schemas"]["SalePhase"];
            /** Format: date-time */
            reservationOpensAt?: null | string;
            /** Format: date-time */
            reservationClosesAt?: null | string;
            /** Format: date-time */
            opensAt: string;
            /** Format: date-time */
            closesAt: string;
            requiresReservation: boolean;
            ordering: components["schemas"]["Ordering"];
            deduction: components["schemas"]["Deduction"];
            /** Format: int32 */
            paymentWindowSeconds: number;
            offers: components["schemas"]["OfferDocument"][];
            /** Format: int32 */
            riskThreshold?: null | number;
            /** Format: int32 */
            warmUpLeadSeconds?: null | number;
            defences?: null | components["schemas"]["SaleDefences"];
            /** Format: int64 */
            rev?: null | number;
            /** @description True while the stock could not be confirmed for more than 2 s, absent otherwise. */
            stale?: null | boolean;
            draw?: null | components["schemas"]["DrawTermsDocument"];
        };
        /**
         * @description Where a sale stands in its life, as shoppers see it.
         * @enum {string}
         */
        SalePhase: "draft" | "scheduled" | "reserving" | "armed" | "open" | "paused" | "sold_out" | "ended";
        SaleStateDocument: {
            phase: components["schemas"]["SalePhase"];
            /**
             * Format: int64
             * @description Raised by every change of this document but those of ServerTime and Stale.
             */
            rev: number;
            /** Format: date-time */
            opensAt: string;
            /** Format: date-time */
            closesAt: string;
            /**
             * Format: date-time
             * @description When the document was made, in whole seconds: `/api/v1/time` is for clocks.
             */
            serverTime: string;
            offers: components["schemas"]["OfferStateDocument"][];
            /**
             * Format: int32
             * @description When to ask again: seldom far from the opening, often near it.
             */
            nextPollMs: number;
            /** @description True while the stock could not be confirmed for more than 2 s, absent otherwise. */
            stale?: null | boolean;
        };
        TimeDocument: {
            /** Format: date-time */
            serverTime: string;
            /** Format: int64 */
            epochMs: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
