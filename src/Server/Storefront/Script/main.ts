// What a page needs of the script follows from what kind of page it is.
import * as clock from "./clock.ts";
import { showCheckout } from "./checkout.ts";
import { countDown } from "./countdown.ts";
import { showList } from "./list.ts";
import { showLive } from "./live.ts";
import { showOrder } from "./order.ts";
import { kind, one } from "./page.ts";
import { showSale } from "./sale.ts";

switch (kind) {
  case "list":
    showList();
    break;
  case "sale":
    void showSale();
    break;
  case "checkout":
    void showCheckout();
    break;
  case "order":
    showLive();
    void showOrder();
    break;
  default:
    showLive();
    if (one("[data-countdown]")) void clock.sample().then(() => countDown(false));
}
