// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IJobs} from "../interfaces/IJobs.sol";
import {Committee} from "../libraries/Committee.sol";
import {Roles} from "../libraries/Roles.sol";
import {JobStore} from "./JobStore.sol";

/// @title What anyone may read about a job, and the hashes it is spoken of by.
abstract contract JobViews is IJobs, JobStore, EIP712 {
    bytes32 private constant CLAIM_TYPEHASH = keccak256(
        "Claim(uint256 jobId,uint32 round,address worker,uint32 share,uint64 units,bytes32 baseRoot,bytes32 updateDigest,bytes32 updateRoot,bytes32 statesRoot)"
    );
    bytes32 private constant PROPOSAL_TYPEHASH = keccak256(
        "Proposal(uint256 jobId,uint32 round,bytes32 stateDigest,bytes32 stateRoot,bytes32 payoutRoot,bytes32 auditRoot,bytes32 runRoot,uint128 payoutTotal,uint32 convictions)"
    );
    bytes32 private constant ATTESTATION_TYPEHASH =
        keccak256("SetAttestation(uint256 jobId,uint32 round,bytes32 setRoot,uint32 count,bytes32 directHash)");

    constructor() EIP712("Potluck Jobs", "1") {}

    /// @inheritdoc IJobs
    function jobCount() external view returns (uint256) {
        return _jobCount;
    }

    /// @inheritdoc IJobs
    function enrolmentOf(uint256 jobId, uint32 role, address node) external view returns (uint32) {
        return _enrolmentOf[jobId][role][node];
    }

    /// @inheritdoc IJobs
    function expelled(uint256 jobId, address node) external view returns (bool) {
        return _expelledAs[jobId][node] != 0;
    }

    /// @inheritdoc IJobs
    function expulsionOf(uint256 jobId, address node) external view returns (uint32) {
        return _expelledAs[jobId][node];
    }

    /// @inheritdoc IJobs
    function convictionCount(uint256 jobId) external view returns (uint32) {
        return _convictions[jobId];
    }

    /// @inheritdoc IJobs
    function onionOf(uint256 jobId, address validator) external view returns (bytes32) {
        return _onionOf[jobId][validator];
    }

    /// @inheritdoc IJobs
    function paidOf(uint256 jobId, address account) external view returns (uint256) {
        return _paidOf[jobId][account];
    }

    /// @inheritdoc IJobs
    function registry() external view returns (address) {
        return address(_registry);
    }

    /// @inheritdoc IJobs
    function assets() external view returns (address) {
        return address(_assets);
    }

    /// @inheritdoc IJobs
    function status(uint256 jobId) external view returns (Status memory) {
        return _status[jobId];
    }

    /// @inheritdoc IJobs
    function termsOf(uint256 jobId) external view returns (JobTerms memory) {
        return _terms[jobId];
    }

    /// @inheritdoc IJobs
    function workersOf(uint256 jobId) external view returns (address[] memory) {
        return _members[jobId][Roles.WORKER];
    }

    /// @inheritdoc IJobs
    function validatorsOf(uint256 jobId) external view returns (address[] memory) {
        return _members[jobId][Roles.VALIDATOR];
    }

    /// @inheritdoc IJobs
    function witnessesOf(uint256 jobId) external view returns (address[] memory) {
        return _members[jobId][Roles.WITNESS];
    }

    /// @inheritdoc IJobs
    function validatorCount(uint256 jobId) external view returns (uint256) {
        return _status[jobId].validators;
    }

    /// @inheritdoc IJobs
    function committeeOf(uint256 jobId) external view returns (address[] memory members) {
        uint256[] memory drawn = _committee(jobId);
        members = new address[](drawn.length);
        for (uint256 i = 0; i < drawn.length; ++i) {
            members[i] = _members[jobId][Roles.WITNESS][drawn[i]];
        }
    }

    /// @inheritdoc IJobs
    function setRootOf(uint256 jobId, uint32 round) external view returns (bytes32 setRoot, uint32 count) {
        return (_sets[jobId][round].root, _sets[jobId][round].count);
    }

    /// @inheritdoc IJobs
    function taskOf(uint256 jobId, uint32 role) public view returns (bytes32) {
        return keccak256(abi.encode(address(this), jobId, role));
    }

    /// @inheritdoc IJobs
    function claimHash(uint256 jobId, uint32 round, ClaimLeaf calldata claim) public pure returns (bytes32) {
        return keccak256(abi.encode(CLAIM_TYPEHASH, jobId, round, claim));
    }

    /// @inheritdoc IJobs
    function proposalHashOf(uint256 jobId, uint32 round, Proposal calldata proposal) public pure returns (bytes32) {
        return keccak256(abi.encode(PROPOSAL_TYPEHASH, jobId, round, proposal));
    }

    /// @inheritdoc IJobs
    function attestationDigest(uint256 jobId, uint32 round, bytes32 setRoot, uint32 count, bytes32 directHash)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(ATTESTATION_TYPEHASH, jobId, round, setRoot, count, directHash)));
    }

    function _committee(uint256 jobId) internal view returns (uint256[] memory) {
        Status storage job = _status[jobId];
        return Committee.draw(job.committeeSeed, job.witnesses, _terms[jobId].committeeSize);
    }
}
