// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILifeboatTypes} from "./ILifeboatTypes.sol";
import {DataChallenges} from "./DataChallenges.sol";
import {OperatorBond} from "./OperatorBond.sol";
import {Receipts} from "./Receipts.sol";

/// @title The operator's bond, data challenges and receipts of one chain
/// @dev Created by its root contract, with its own ETH and its own storage: nothing here can touch a deposit. See ISurety.sol.
contract Surety is Receipts {
    constructor(ILifeboatTypes.Parameters memory p) payable OperatorBond(p) DataChallenges(p) Receipts(p) {}
}
